import Support
import Testing

/// Scripts are PromQL's specification. Upstream's are run where they are at hand; how many evals must pass is written down
/// per file, so that none is lost in silence.
///
/// `MINPROM_SCRIPT_FAILURES=1` prints every failing eval, also where the count is met.
@Suite("scripts")
struct ScriptTests {
    @Test("the reference evaluator answers our own scripts as they say", arguments: OwnScripts.names)
    func ownReference(_ name: String) throws {
        let report = try ScriptReport(OwnScripts.read(name), by: ReferenceEngine())
        #expect(report.passed == report.outcomes.count, "\(report)\n\(report.failureTexts)")
        #expect(report.outcomes.count >= 3, "\(name) is nearly empty")
    }

    @Test("the engine answers our own scripts as they say", arguments: OwnScripts.names)
    func ownEngine(_ name: String) throws {
        let report = try ScriptReport(OwnScripts.read(name), by: EngineUnderTest())
        report.check("engine", atLeast: 0)
    }

    @Test("our own scripts are where they should be")
    func ownScriptsExist() { #expect(OwnScripts.names.count >= 40) }

    @Test("the reference evaluator answers upstream's scripts as they say", arguments: SharedScripts.names)
    func reference(_ name: String) throws {
        let report = try ScriptReport(SharedScripts.read(name), by: ReferenceEngine())
        report.check("reference", atLeast: ScriptFloors.all[name])
    }

    @Test("the engine answers upstream's scripts as they say", arguments: SharedScripts.names)
    func engine(_ name: String) throws {
        let report = try ScriptReport(SharedScripts.read(name), by: EngineUnderTest())
        report.check("engine", atLeast: ScriptFloors.all[name])
    }
}

/// The scripts of this repository, a topic each.
enum OwnScripts {
    private static let folder = "Tests/PromQLTests/scripts"
    static let names = PackageFiles.names(in: folder).filter { $0.hasSuffix(".test") }

    static func read(_ name: String) throws -> Script {
        try ScriptReader.read(PackageFiles.text("\(folder)/\(name)") ?? "", name: name)
    }
}

enum SharedScripts {
    static let names = SharedData.files("promqltest").map(\.name).filter { $0.hasSuffix(".test") }

    static func read(_ name: String) throws -> Script {
        try ScriptReader.read(SharedData.text("promqltest/\(name)") ?? "", name: name)
    }
}

/// Evals of upstream's scripts that pass, file by file. Numbers only go up.
enum ScriptFloors {
    static let all: [String: Int] = [
        "aggregators.test": 119, "at_modifier.test": 58, "collision.test": 1, "duration_expression.test": 44,
        "extended_vectors.test": 127, "fill-modifier.test": 33, "functions.test": 323, "histograms.test": 139, "info.test": 40,
        "limit.test": 28, "literals.test": 17, "name_label_dropping.test": 22, "native_histograms.test": 391,
        "operators.test": 161, "range_queries.test": 13, "selectors.test": 23, "staleness.test": 12,
        "start_timestamps.test": 19, "subquery.test": 24,
        "trig_functions.test": 13, "type_and_unit.test": 42,
    ]
}

/// The outcomes of one script, counted.
struct ScriptReport: CustomStringConvertible {
    let name: String
    let outcomes: [ScriptRunner.Outcome]

    init(_ script: Script, by engine: any ScriptEngine) {
        name = script.name
        outcomes = ScriptRunner(engine: engine).run(script)
    }

    var passed: Int { outcomes.count { $0.verdict == .passed } }

    var failures: [ScriptRunner.Outcome] {
        outcomes.filter { if case .failed = $0.verdict { true } else { false } }
    }

    /// How many were skipped for each kind of reason, that is the part before the colon.
    var skipped: [String: Int] {
        outcomes.reduce(into: [:]) { counts, outcome in
            guard case .skipped(let reason) = outcome.verdict else { return }
            counts[String(reason.prefix { $0 != ":" }), default: 0] += 1
        }
    }

    var failureTexts: String {
        failures.map { outcome in
            guard case .failed(let text) = outcome.verdict else { return "" }
            return "\(name):\(outcome.line): \(outcome.query)\n    \(text)"
        }.joined(separator: "\n")
    }

    /// Prints the count, and fails where it is below `floor`.
    func check(_ engine: String, atLeast floor: Int?) {
        print("\(engine) on \(self)")
        if TestSeed.environment("MINPROM_SCRIPT_FAILURES") != nil && !failures.isEmpty { print(failureTexts) }
        let floor = floor ?? 0
        #expect(passed >= floor, "\(passed) of at least \(floor) pass in \(name)")
        #expect(failures.isEmpty, "\(failureTexts)")
    }

    var description: String {
        let reasons = skipped.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return "\(name): \(outcomes.count) evals, \(passed) passed, \(failures.count) failed"
            + (reasons.isEmpty ? "" : "; skipped: \(reasons)")
    }
}
