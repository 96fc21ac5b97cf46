import ArgumentParser
import JSON
import Numbers
import PromQL
import PrometheusClient
import TSDB

/// `minprom query`: asks a server, or a directory of one that may be stopped, and says on demand how the answer came about.
///
///     minprom query 'rate(http_requests_total[5m])'
///     minprom query --start now-1h --step 15s --analyze 'sum by (job) (rate(http_requests_total[5m]))'
///     minprom query --data data/ --point '{job="api"}' 'rate(http_requests_total[5m])'
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Ask a PromQL question, and see how it is answered.")

    @Argument(help: "The PromQL expression.")
    var expression: String

    @Option(help: "The server to ask: any that speaks Prometheus' API; explanations need minprom.")
    var server = "http://localhost:9090"

    @Option(help: "A database directory to read instead of asking a server. Nothing in it is changed.")
    var data: String?

    @Option(help: "Evaluation time: seconds since the epoch, RFC 3339, now, now-1h.")
    var time = "now"

    @Option(help: "Start of a range query; as --time.")
    var start: String?

    @Option(help: "End of a range query.")
    var end = "now"

    @Option(help: "Step of a range query: 15s, 1m.")
    var step = "15s"

    @Flag(help: "Show the plan instead of the answer; nothing is read.")
    var explain = false

    @Flag(help: "Run the query and show what each operator did, instead of the answer.")
    var analyze = false

    @Option(
        help:
            "Show the arithmetic of one series' point at --time: its labels, such as '{job=\"api\"}', or '' if it is the only one."
    )
    var point: String?

    func run() async throws {
        do throws(StartError) {
            let question = try parsed()
            let lines: [String]
            if data == nil { lines = try await askServer(question) } else { lines = try askDirectory(question) }
            for line in lines { print(line) }
        } catch {
            throw ExitCode(Console.complain(error.message))
        }
    }

    /// The flags as values.
    struct Question {
        enum Want { case answer, plan, analysis, point(Labels?) }
        var time: Timestamp
        var range: (start: Timestamp, end: Timestamp, step: TSDB.Duration)?
        var want: Want
    }

    private func parsed() throws(StartError) -> Question {
        guard [explain, analyze, point != nil].filter({ $0 }).count <= 1 else {
            throw StartError("--explain, --analyze and --point exclude each other")
        }
        let now = SystemClock().now()
        var question = Question(time: try Self.parseTime("time", time, now), want: .answer)
        if let start {
            let length: Int64
            do throws(DurationError) { length = try DurationText.parse(step) } catch {
                throw StartError("--step: \(error.message)")
            }
            guard length > 0 else { throw StartError("--step must be positive") }
            question.range = (
                try Self.parseTime("start", start, now), try Self.parseTime("end", end, now), .milliseconds(length)
            )
        }
        if explain { question.want = .plan }
        if analyze { question.want = .analysis }
        if let point {
            var labels: Labels?
            if !point.isEmpty {
                do throws(QueryError) { labels = try Parser.parseMetric(point) } catch {
                    throw StartError("--point: \(error.message)")
                }
            }
            question.want = .point(labels)
        }
        return question
    }

    private static func parseTime(_ flag: String, _ text: String, _ now: Timestamp) throws(StartError) -> Timestamp {
        if text == "now" { return now }
        if text.hasPrefix("now-") {
            do throws(DurationError) {
                return now - .milliseconds(try DurationText.parse(String(text.dropFirst(4))))
            } catch { throw StartError("--\(flag): \(error.message)") }
        }
        if let seconds = NumberText.parse(text, allowing: .go), seconds.magnitude < 1e15 {
            return Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        }
        if let time = TimeText.parse(text) { return Timestamp(milliseconds: time) }
        throw StartError("--\(flag): \"\(text)\" is no time: seconds since the epoch, RFC 3339, now or now-1h")
    }
}

// MARK: Asking a server

extension QueryCommand {
    private func askServer(_ question: Question) async throws(StartError) -> [String] {
        do throws(ClientError) {
            let client = try PrometheusClient(server)
            let result: Result<[String], ClientError>
            do throws(ClientError) { result = .success(try await ask(client, question)) } catch {
                result = .failure(error)
            }
            await client.shutdown()
            return try result.get()
        } catch {
            throw StartError(error.message)
        }
    }

    private func ask(_ client: PrometheusClient, _ question: Question) async throws(ClientError) -> [String] {
        var form = [("query", expression)]
        func seconds(_ time: Timestamp) -> String { NumberText.string(time.seconds, style: .fixed) }
        var path = "/api/v1/query"
        if let range = question.range {
            path = "/api/v1/query_range"
            form += [
                ("start", seconds(range.start)), ("end", seconds(range.end)),
                ("step", NumberText.string(range.step.seconds, style: .fixed)),
            ]
        }
        switch question.want {
        case .answer:
            let answer =
                if let range = question.range {
                    try await client.queryRange(expression, from: range.start, to: range.end, step: range.step)
                } else {
                    try await client.query(expression, at: question.time)
                }
            for note in answer.warnings + answer.infos { Console.write(note + "\n") }
            switch answer.outcome {
            case .success(let data): return data.lines
            case .failure(_, let text): throw ClientError(.refused, text)
            }
        case .plan: form.append(("explain", "plan"))
        // The answer itself is not shown: one series of it is sent.
        case .analysis: form += [("explain", "analyze"), ("limit", "1")]
        case .point(let labels):
            path = "/api/v1/explain_point"
            if let labels { form.append(("metric", Self.metric(labels))) }
        }
        form.append(("time", seconds(question.time)))
        let answer = try await client.post(path, form: form)
        guard let json = try? JSONValue(parsing: answer.text), let status = json["status"]?.string else {
            throw ClientError(.malformed, "\(server): status \(answer.status), and no answer of Prometheus' API")
        }
        guard status == "success" else {
            throw ClientError(.refused, json["error"]?.string ?? "status \(answer.status)")
        }
        let text = json["data"]?["explain"]?["text"] ?? json["data"]?["text"]
        guard let text else { throw ClientError(.malformed, "\(server) explains nothing: is it a minprom?") }
        return text.elements.compactMap(\.string)
    }
}

extension QueryCommand {
    /// Labels as the parser reads them, whatever their names.
    private static func metric(_ labels: Labels) -> String {
        "{" + labels.pairs.map { QuotedText.go($0.name) + "=" + QuotedText.go($0.value) }.joined(separator: ",") + "}"
    }
}

// MARK: Reading a directory

extension QueryCommand {
    private func askDirectory(_ question: Question) throws(StartError) -> [String] {
        let files = ReadOnlyFiles(DiskFileStore())
        let directory = data ?? ""
        guard files.exists(directory + "/wal") else { throw StartError("--data: \(directory) holds no database") }
        let database: Database
        do throws(TSDBError) {
            database = try Database.open(directory, files: files, clock: SystemClock())
        } catch { throw StartError("--data: \(error)") }
        for damage in database.replay.damages { Console.write("damage in the log: \(damage)\n") }
        do throws(QueryError) { return try ask(database, question) } catch {
            throw StartError(error.positioned(in: expression))
        }
    }

    private func ask(_ database: Database, _ question: Question) throws(QueryError) -> [String] {
        var options = EngineOptions()
        options.clock = SystemClock.monotonic
        options.parser = .everything
        let engine = Engine(options)
        let expr = try Parser.parse(expression, options: options.parser)
        let range = question.range
        switch question.want {
        case .plan:
            return Explanation(
                try engine.plan(
                    expr, start: range?.start ?? question.time, end: range?.end ?? question.time,
                    step: range?.step ?? .zero)
            ).lines
        case .point(let labels):
            let steps = range.map { PointSteps.range(start: $0.start, end: $0.end, step: $0.step) } ?? .instant
            return try engine.explainPoint(
                expr, expression, of: labels, at: question.time, steps: steps, on: database
            ).lines
        case .answer, .analysis:
            let analysis = Analysis(clock: options.clock)
            var isAnalysis = false
            if case .analysis = question.want { isAnalysis = true }
            let context = options.context(analysis: isAnalysis ? analysis : nil)
            let result: QueryResult
            if let range {
                result = try engine.range(
                    expr, expression, on: database, start: range.start, end: range.end, step: range.step,
                    context: context)
            } else {
                result = try engine.instant(expr, expression, on: database, at: question.time, context: context)
            }
            for note in result.warnings + result.infos { Console.write(note + "\n") }
            return isAnalysis ? analysis.explanation?.lines ?? [] : QueryData(result.value).lines
        }
    }
}

extension QueryData {
    /// An answer of our own engine in the form in which servers' answers come.
    init(_ value: QueryResult.Value) {
        switch value {
        case .scalar(let value, let time): self = .scalar(time: time, value)
        case .string(let text, let time): self = .string(time: time, text)
        case .vector(let vector):
            self = .vector(
                vector.labels.indices.map { row in
                    let histogram = vector.histogram(row).map { QueryValue.histogram(QueryHistogram($0)) }
                    return QueryElement(
                        labels: vector.labels[row], time: vector.at, value: histogram ?? .float(vector.values[row]))
                })
        case .matrix(let matrix):
            self = .matrix(
                (0..<matrix.count).map { row in
                    var series = QuerySeries(labels: matrix.labels[row])
                    matrix.forEachPoint(ofRow: row) { step, value in
                        series.times.append(Timestamp(milliseconds: matrix.grid.time(step)))
                        series.values.append(value)
                    }
                    series.histograms = matrix.histograms(ofRow: row).map { step, histogram in
                        (Timestamp(milliseconds: matrix.grid.time(step)), QueryHistogram(histogram))
                    }
                    return series
                })
        case .samples(let samples):
            self = .matrix(
                (0..<samples.count).map { row in
                    var series = QuerySeries(labels: samples.labels[row])
                    samples.forEachPoint(ofRow: row) { time, value in
                        series.times.append(time)
                        series.values.append(value)
                    }
                    series.histograms = samples.histograms(ofRow: row).map { ($0.time, QueryHistogram($0.histogram)) }
                    return series
                })
        }
    }
}
