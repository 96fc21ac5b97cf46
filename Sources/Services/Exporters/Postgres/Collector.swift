import SelfMetrics

/// One collector: statements, and what becomes of each row of their answers.
///
///     SELECT datname, datconnlimit …          ("demo", -1)
///        └─ Family(connection_limit, column: datconnlimit, labels: datname)
///              └─▶ pg_database_connection_limit{datname="demo"} -1
///
/// A collector is a table entry, not code: a row of the answer times the families of the statement are the samples.
///
/// Invariants: a label's name is its column's; a row with NULL in a label, or in the value's column, gives no sample.
struct Collector: Sendable {
    struct Family: Sendable {
        var name: String
        var kind: MetricsPage.Kind
        var help: String
        /// Column of the value.
        var column: String
    }

    struct Part: Sendable {
        /// The statement for a server of this version, or `nil` where it has no such view.
        var statement: @Sendable (ServerVersion) -> StaticString?
        /// Sorted, as the page shows them.
        var labels: [String]
        var families: [Family]
        /// Whether the label `server` goes with them, as it does with the families that the original has had the longest.
        var namesServer = false
    }

    /// As `pg_scrape_collector_success{collector="…"}` has it; empty for what the original counts as no collector.
    var name: String
    var parts: [Part]
    /// On without a flag.
    var isDefault = true
    /// Has to be installed in the database; without it there is nothing to collect, and nothing fails.
    var needsExtension: String?

    init(_ name: String, isDefault: Bool = true, needsExtension: String? = nil, _ parts: [Part]) {
        self.name = name
        self.parts = parts
        self.isDefault = isDefault
        self.needsExtension = needsExtension
    }
}

extension Collector.Part {
    init(_ statement: StaticString, labels: [String] = [], namesServer: Bool = false, _ families: [Collector.Family]) {
        let text = UncheckedStatement(statement)
        self.init(statement: { _ in text.statement }, labels: labels, families: families, namesServer: namesServer)
    }
}

/// A static string, which is a pointer to text that is never written: safe in any thread, though it does not say so.
struct UncheckedStatement: @unchecked Sendable {
    let statement: StaticString
    init(_ statement: StaticString) { self.statement = statement }
}

/// `150018` is 15.18.
struct ServerVersion: Equatable, Comparable, Sendable {
    var number: Int

    init(_ number: Int) { self.number = number }

    var major: Int { number / 10_000 }
    /// With three parts, as the original writes it: `15.18.0`.
    var text: String { "\(major).\(number % 10_000).0" }

    static func < (a: ServerVersion, b: ServerVersion) -> Bool { a.number < b.number }
    static let v14 = ServerVersion(140_000)
    static let v17 = ServerVersion(170_000)
}

extension Collector.Family {
    static func gauge(_ name: String, _ help: String, _ column: String) -> Self { .init(name: name, kind: .gauge, help: help, column: column) }
    static func counter(_ name: String, _ help: String, _ column: String) -> Self {
        .init(name: name, kind: .counter, help: help, column: column)
    }
}
