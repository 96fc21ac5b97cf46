import JSON
import PrometheusClient
import TSDB

/// Asks two servers the same queries at the same times and compares what they answer.
///
///     query ─┬─▶ reference ─┐
///            └─▶ test ──────┴─▶ AnswerComparison ─▶ ComparisonResult        first instant, then range
///
/// Both are asked at once. Only answers that differ are kept, and of those a bounded number.
public struct Comparison: Sendable {
    public struct Settings: Sendable {
        /// The time of instant queries and the end of range queries.
        public var time: Timestamp
        public var range: TSDB.Duration
        public var step: TSDB.Duration
        public var tolerance = Tolerance.exact
        /// Kinds of differences that do not count.
        public var ignored: Set<Difference.Kind> = []

        public init(time: Timestamp, range: TSDB.Duration = .hours(1), step: TSDB.Duration = .seconds(15)) {
            self.time = time
            self.range = range
            self.step = step
        }

        public var start: Timestamp { time - range }
    }

    /// Differing answers kept in full for the report.
    public static let maximumKept = 300

    private let reference: PrometheusClient
    private let test: PrometheusClient
    public let settings: Settings

    public init(reference: PrometheusClient, test: PrometheusClient, settings: Settings) {
        self.reference = reference
        self.test = test
        self.settings = settings
    }

    /// The queries that need no file: panels, the language, the metrics that the reference has. `end` is the time
    /// asked about.
    public static func builtInQueries(of reference: PrometheusClient) async throws(ClientError) -> [ComparedQuery] {
        (DashboardPanels.all + MetricQueries(names: try await metricNames(of: reference)).queries()).withoutRepetitions
    }

    /// A time that has passed on both servers, rounded down to whole steps, with `delay` for samples that are on their
    /// way.
    public static func commonTime(
        _ a: PrometheusClient, _ b: PrometheusClient, step: TSDB.Duration, delay: TSDB.Duration
    ) async throws(ClientError) -> Timestamp {
        let first = try await clock(of: a), second = try await clock(of: b)
        let time = (min(first, second) - delay).milliseconds, step = max(1, step.milliseconds)
        return Timestamp(milliseconds: time - ((time % step) + step) % step)
    }

    private static func clock(of server: PrometheusClient) async throws(ClientError) -> Timestamp {
        guard case .success(.scalar(let time, _)) = try await server.query("time()").outcome else {
            throw ClientError(.malformed, "\(server.base) does not say what time it is")
        }
        return time
    }

    private static func metricNames(of server: PrometheusClient) async throws(ClientError) -> [String] {
        let answer = try await server.get("/api/v1/label/__name__/values")
        try answer.requireSuccess()
        guard let document = try? JSONValue(parsing: answer.text) else {
            throw ClientError(.malformed, "\(server.base) gives no names of metrics")
        }
        return document["data"]?.elements.compactMap(\.string) ?? []
    }

    /// Throws when a server cannot be asked; what it answers, errors included, is compared.
    public func run(
        _ queries: [ComparedQuery], progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws(ClientError) -> ComparisonResult {
        var result = ComparisonResult(settings: settings)
        for (index, query) in queries.enumerated() {
            for form in ComparedAnswers.Form.allCases {
                if Task.isCancelled { throw ClientError(.connection, "stopped") }
                let (a, b) = try await both(query.text, form)
                let differences = AnswerComparison(tolerance: settings.tolerance)
                    .differences(query.text, reference: a, test: b).filter { !settings.ignored.contains($0.kind) }
                result.add(ComparedAnswers(query: query, form: form, reference: a, test: b, differences: differences))
            }
            progress(index + 1, queries.count)
        }
        return result
    }

    private func both(
        _ text: String, _ form: ComparedAnswers.Form
    ) async throws(ClientError) -> (reference: QueryAnswer, test: QueryAnswer) {
        async let a = ask(reference, text, form)
        let b = await ask(test, text, form)
        return (try await a.get(), try b.get())
    }

    private func ask(
        _ server: PrometheusClient, _ text: String, _ form: ComparedAnswers.Form
    ) async -> Result<QueryAnswer, ClientError> {
        do throws(ClientError) {
            switch form {
            case .instant: return .success(try await server.query(text, at: settings.time))
            case .range:
                return .success(
                    try await server.queryRange(text, from: settings.start, to: settings.time, step: settings.step))
            }
        } catch {
            return .failure(error)
        }
    }
}

/// Both answers to one query, and how they differ.
public struct ComparedAnswers: Sendable {
    public enum Form: String, Sendable, CaseIterable { case instant, range }

    public var query: ComparedQuery
    public var form: Form
    public var reference: QueryAnswer
    public var test: QueryAnswer
    public var differences: [Difference]
}

/// What a comparison has found.
public struct ComparisonResult: Sendable {
    public struct Tally: Sendable, Equatable {
        public var asked = 0
        public var equal = 0
        public var different: Int { asked - equal }
        /// Of the equal ones, those in which both servers had an error.
        public var bothFailed = 0
        /// Of the equal ones, those without a single element: they show little.
        public var bothEmpty = 0
    }

    public let settings: Comparison.Settings
    /// Per category, in the order of first appearance.
    public private(set) var categories: [(name: String, tally: Tally)] = []
    public private(set) var total = Tally()
    /// Queries by kind of difference; one query can have several.
    public private(set) var kinds: [Difference.Kind: Int] = [:]
    /// The first differing answers.
    public private(set) var kept: [ComparedAnswers] = []

    public var isEqual: Bool { total.different == 0 }

    init(settings: Comparison.Settings) { self.settings = settings }

    mutating func add(_ answers: ComparedAnswers) {
        let index = categories.firstIndex { $0.name == answers.query.category } ?? categories.count
        if index == categories.count { categories.append((answers.query.category, Tally())) }
        Self.count(answers, in: &categories[index].tally)
        Self.count(answers, in: &total)
        for kind in Set(answers.differences.map(\.kind)) { kinds[kind, default: 0] += 1 }
        if !answers.differences.isEmpty, kept.count < Comparison.maximumKept { kept.append(answers) }
    }

    private static func count(_ answers: ComparedAnswers, in tally: inout Tally) {
        tally.asked += 1
        guard answers.differences.isEmpty else { return }
        tally.equal += 1
        switch answers.reference.outcome {
        case .failure: tally.bothFailed += 1
        case .success(.vector(let elements)) where elements.isEmpty: tally.bothEmpty += 1
        case .success(.matrix(let series)) where series.isEmpty: tally.bothEmpty += 1
        case .success: break
        }
    }
}
