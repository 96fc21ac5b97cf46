import JSON
import PrometheusClient
import TSDB

/// Another server, over HTTP: it gets the same samples by remote write and answers the same queries.
struct RemoteSubject {
    /// Stands above its columns.
    let name: String
    let version: String
    let address: String
    private let client: PrometheusClient

    /// Asks the server who it is.
    init(_ address: String) async throws {
        do throws(ClientError) { client = try PrometheusClient(address) } catch { throw BenchError(error.message) }
        do throws(ClientError) {
            let answer = try await client.get("/api/v1/status/buildinfo")
            try answer.requireSuccess()
            version = (try? JSONValue(parsing: answer.text))?["data"]?["version"]?.string ?? "?"
        } catch {
            await client.shutdown()
            throw BenchError("\(address): \(error)")
        }
        self.address = address
        name = version.contains("minprom") ? "minprom" : "Prometheus"
    }

    func close() async { await client.shutdown() }

    // MARK: Feeding

    /// Samples of one request at most.
    private static let requestSize = 10_000
    /// Scrapes of an instance that travel together; few enough that no sample is too old when it arrives.
    private static let blockSize = 20

    /// Sends all scrapes by remote write. Returns the number of samples.
    func feed(_ shape: FleetShape) async throws -> Int {
        var fleet = Fleet(shape)
        let labels = (0..<shape.instanceCount).map { fleet.labels(ofInstance: $0) }
        var request = WriteRequest()
        var sent = 0
        for first in stride(from: 0, to: shape.scrapeCount, by: Self.blockSize) {
            for instance in 0..<shape.instanceCount {
                var columns: [(time: Timestamp, values: [Double])] = []
                var values: [Double] = []
                for number in first..<min(first + Self.blockSize, shape.scrapeCount)
                where fleet.nextScrape(ofInstance: instance, into: &values) {
                    columns.append((fleet.time(ofScrape: number, instance: instance), values))
                }
                guard !columns.isEmpty else { continue }
                for (index, labels) in labels[instance].enumerated() {
                    request.add(labels, columns.lazy.map { (time: $0.time, value: $0.values[index]) })
                    if request.sampleCount >= Self.requestSize { sent += try await send(&request) }
                }
            }
        }
        return sent + (try await send(&request))
    }

    private func send(_ request: inout WriteRequest) async throws(BenchError) -> Int {
        let count = request.sampleCount
        guard count > 0 else { return 0 }
        do throws(ClientError) {
            try await client.write(request)
        } catch {
            throw BenchError(
                """
                \(address) did not take the samples: \(error)
                It needs --web.enable-remote-write-receiver, and must not hold samples more than an hour newer than the \
                oldest of ours: start it without scrape jobs and empty, or take fewer --steps or a shorter --step.
                """)
        }
        request.removeAll()
        return count
    }

    // MARK: Asking

    func ask(_ call: APICall) async throws(BenchError) -> ClientAnswer {
        do throws(ClientError) {
            return try await client.post(call.path, form: call.form)
        } catch {
            throw BenchError("\(address): \(error)")
        }
    }

    /// What the call costs there: processor time of its process where it tells, and time until the answer is here.
    func cost(of call: APICall, budget: Double) async throws -> (cpu: Double?, wall: Double) {
        let cpuBefore = try await processorSeconds()
        let measurement = try await Measurement.of(budget: budget) { _ = try await ask(call) }
        var runs = measurement.runs
        var cpu: Double?
        if let cpuBefore {
            // Its clock ticks every 10 ms: go on until a tick is no more than a fiftieth, but not for ever.
            let begin = Cost.now().wall
            var spent = (try await processorSeconds() ?? cpuBefore) - cpuBefore
            while spent < 0.5 && Cost.now().wall - begin < 2 * budget {
                for _ in 0..<measurement.runs { _ = try await ask(call) }
                runs += measurement.runs
                spent = (try await processorSeconds() ?? cpuBefore) - cpuBefore
            }
            cpu = spent * 1e9 / Double(runs)
        }
        return (cpu, measurement.median.wall)
    }

    /// Processor time of the server's process so far, from its own metrics; `nil` where it does not tell.
    private func processorSeconds() async throws(BenchError) -> Double? {
        do throws(ClientError) {
            let answer = try await client.get("/metrics")
            guard answer.status == 200 else { return nil }
            for line in answer.text.split(separator: "\n") where line.hasPrefix("process_cpu_seconds_total ") {
                return line.split(separator: " ").last.flatMap { Double($0) }
            }
            return nil
        } catch {
            throw BenchError("\(address): \(error)")
        }
    }
}

/// A query as a call of the HTTP API.
struct APICall: Sendable {
    let path: String
    let form: [(String, String)]

    /// As `application/x-www-form-urlencoded`.
    var encodedForm: String { PrometheusClient.form(form) }

    init(_ query: QueryCase, plan: BenchPlan) {
        let text = query.query(run: plan.shape.run)
        switch query.kind {
        case .range:
            path = "/api/v1/query_range"
            form = [
                ("query", text), ("start", PrometheusClient.seconds(plan.start.milliseconds)),
                ("end", PrometheusClient.seconds(plan.end.milliseconds)),
                ("step", PrometheusClient.seconds(plan.step)),
            ]
        case .instant:
            path = "/api/v1/query"
            form = [("query", text), ("time", PrometheusClient.seconds(plan.end.milliseconds))]
        }
    }
}

extension Answer {
    /// The points of an API's answer; throws what the server had to say instead.
    init(_ answer: ClientAnswer, from name: String) throws(BenchError) {
        let decoded: QueryAnswer
        do throws(ClientError) { decoded = try QueryAnswer(decoding: answer) } catch {
            throw BenchError("\(name): \(error)")
        }
        guard case .success(let data) = decoded.outcome else {
            if case .failure(_, let text) = decoded.outcome { throw BenchError("\(name): \(text)") }
            return
        }
        switch data {
        case .scalar(let time, let value): series[Labels()] = [Point(time: time.milliseconds, value: value)]
        case .string: break
        case .vector(let elements):
            for element in elements {
                guard case .float(let value) = element.value else {
                    throw BenchError("\(name) answered with histograms")
                }
                series[element.labels] = [Point(time: element.time.milliseconds, value: value)]
            }
        case .matrix(let rows):
            for row in rows {
                series[row.labels] = zip(row.times, row.values).map { Point(time: $0.milliseconds, value: $1) }
            }
        }
    }
}
