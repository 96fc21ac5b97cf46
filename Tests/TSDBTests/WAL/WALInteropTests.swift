import Support
import Testing

@testable import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The real Prometheus reads what we write, and we read what it writes. Runs when asked for, with the path of a `prometheus` binary in
/// `MINPROM_PROMETHEUS`: it takes real seconds, and another process' pace is none of ours on a busy machine.
@Suite(.serialized) struct WALInteropTests {
    static let prometheus = TestSeed.environment("MINPROM_PROMETHEUS") ?? ""
    static let isAvailable = !prometheus.isEmpty && DiskFileStore().exists(prometheus)

    /// Runs a shell script in `directory` that may start `$PROMETHEUS` on `$PORT` (its log goes to `log`); gives its output.
    /// The script ends what it starts.
    static func shell(_ directory: String, _ script: String) -> String {
        let port = Int.random(in: 30_000...39_000)
        let prelude = """
            cd '\(directory)'; PORT=\(port); PROMETHEUS='\(prometheus)'
            start() {
              "$PROMETHEUS" --config.file=config.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:$PORT "$@" >>log 2>&1 &
              PID=$!
              for i in $(seq 300); do
                curl -sf -o /dev/null http://127.0.0.1:$PORT/-/ready && return
                kill -0 $PID 2>/dev/null || return
                sleep 0.1
              done
            }
            ask() { curl -s -G --data-urlencode "query=$1" --data-urlencode "time=$2" http://127.0.0.1:$PORT/api/v1/query; echo; }
            stop() { kill -9 $PID 2>/dev/null; wait $PID 2>/dev/null; }

            """
        guard let pipe = popen("exec 2>/dev/null\n" + prelude + script, "r") else { return "" }
        defer { pclose(pipe) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let n = fread(&buffer, 1, buffer.count, pipe)
            if n == 0 { break }
            output += buffer[..<n]
        }
        return String(decoding: output, as: UTF8.self)
    }

    static func withDirectory(_ body: (String) throws -> Void) throws {
        let store = DiskFileStore()
        let directory = "/tmp/minprom-interop-\(UInt64.random(in: 0...UInt64.max))"
        try store.createDirectory(directory + "/data")
        defer { try? store.remove(directory) }
        try body(directory)
    }

    static func write(_ text: String, to path: String) throws {
        let file = try DiskFileStore().openForAppending(path)
        try Array(text.utf8).withUnsafeBytes { try file.append($0) }
        file.close()
    }

    @Test("Prometheus opens our log and answers our samples", .enabled(if: isAvailable), arguments: [WALCompression.none, .snappy])
    func prometheusReadsOurs(_ compression: WALCompression) throws {
        try Self.withDirectory { directory in
            try Self.write("global: {}\n", to: directory + "/config.yml")
            var options = WALOptions()
            options.compression = compression
            options.segmentSize = 64 << 10  // several segments
            var nobody = Collector()
            let (wal, _) = try WAL.open(directory + "/data/wal", DiskFileStore(), options: options, visitor: &nobody)
            let now = Int64(time(nil)) * 1000
            let series: [(reference: SeriesRef, labels: Labels)] = (1...300).map {
                (SeriesRef(slot: UInt32($0), generation: $0 % 10 == 0 ? 3 : 0), ["__name__": "ours", "n": "\($0)", "café": "ü"])
            }
            try wal.append(series: series)
            let steps = 120
            for step in 0..<steps {
                let position = try wal.append(
                    references: series.map(\.reference), timestamps: series.map { _ in now - Int64(steps - step) * 10_000 },
                    values: (1...300).map { Double($0 * step) + 0.25 }, count: 300)
                try wal.flush(through: position)
            }
            // The older half as a checkpoint: only series and samples, as the head gives them in these modes.
            let segment = try wal.cutSegment()
            let (everything, _) = try replayed(DiskFileStore(), directory + "/data/wal")
            try wal.checkpoint(through: segment) { writer throws(TSDBError) in
                for (reference, labels) in series { try writer.series(reference, labels: labels) }
                for sample in everything.samples {
                    try writer.samples(
                        references: [SeriesRef(rawValue: sample.reference)], timestamps: [sample.timestamp],
                        values: [Double(bitPattern: sample.bits)], count: 1)
                }
            }
            let position = try wal.append(
                references: series.map(\.reference), timestamps: series.map { _ in now }, values: (1...300).map(Double.init), count: 300)
            try wal.flush(through: position)
            try wal.close()

            let answers = Self.shell(
                directory,
                """
                start
                ask 'sum(count_over_time(ours[2h]))' \(now / 1000)
                ask 'sum(sum_over_time(ours[2h]))' \(now / 1000)
                ask 'ours{n="20"}[25s]' \(now / 1000)
                stop
                grep -c -i -E 'corrupt|repair' log
                """
            ).split(separator: "\n")
            // Σ n over 300 series is 45,150: once per step and once more at the end, and a quarter for each sample of a step.
            let stepSum = (0..<steps).reduce(0, +)
            let total = 45_150 * stepSum + 75 * steps + 45_150
            #expect(answers.count == 4, "\(answers)")
            #expect(answers.first?.contains("\"\(300 * (steps + 1))\"") == true, "\(answers)")
            #expect(answers.dropFirst().first?.contains("\"\(total)\"") == true, "\(answers)")
            let seconds = now / 1000
            #expect(
                answers.dropFirst(2).first?.contains(
                    "\"values\":[[\(seconds - 20),\"2360.25\"],[\(seconds - 10),\"2380.25\"],[\(seconds),\"20\"]]") == true, "\(answers)")
            #expect(answers.last == "0", "Prometheus found damage")
        }
    }

    @Test("we read a log that Prometheus wrote until it was killed", .enabled(if: isAvailable))
    func weReadPrometheus() throws {
        try Self.withDirectory { directory in
            let scrape = "scrape_configs: [{job_name: self, static_configs: [{targets: ['localhost:PORT']}]}]\n"
            try Self.write("global: {scrape_interval: 500ms, scrape_timeout: 400ms}\n" + scrape, to: directory + "/config.in")
            let answers = Self.shell(
                directory,
                """
                sed "s/PORT/$PORT/" config.in > config.yml
                start
                sleep 6
                stop
                cp -r data/wal copy
                echo 'global: {}' > config.yml
                start
                NOW=$(($(date +%s) + 1))  # behind the second the last scrape was in
                ask 'sum(count_over_time(prometheus_http_requests_total[1h]))' $NOW
                ask 'sum(count_over_time(go_gc_duration_seconds[1h]))' $NOW
                ask 'sum(sum_over_time(prometheus_tsdb_head_samples_appended_total[1h]))' $NOW
                stop
                """
            ).split(separator: "\n")
            let (collector, report) = try replayed(DiskFileStore(), directory + "/copy")
            #expect(report.damageCount == 0, "\(report.damages)")
            func samples(of name: String) -> [Double] {
                collector.samples.filter { $0.bits != StaleMarker.bits && collector.series[$0.reference]?.metricName == name }
                    .map { Double(bitPattern: $0.bits) }
            }
            let expected = [
                samples(of: "prometheus_http_requests_total").count, samples(of: "go_gc_duration_seconds").count,
                Int(samples(of: "prometheus_tsdb_head_samples_appended_total").reduce(0, +)),
            ]
            #expect(answers.count == 3 && expected.allSatisfy { $0 > 0 })
            for (answer, expected) in zip(answers, expected) { #expect(answer.contains("\"\(expected)\"")) }
            #expect(collector.series.values.contains { $0.metricName == "prometheus_build_info" && $0["instance"] != nil })
            #expect(collector.samples.allSatisfy { collector.series[$0.reference] != nil })
        }
    }
}
