import ConfigurationFile
import Numbers
import PromQL
import RegularExpression
import TSDB

/// `tool test rules`: unit tests of rules in promtool's format, with promtool's words.
///
///     RuleTestFile ─▶ each test: RuleTestRun ─▶ problems ─▶ FAILED, or SUCCESS
///
/// Source: Prometheus, `cmd/promtool/unittest.go`.
public struct RuleTestTool {
    public var options = ParserOptions()
    /// Runs only tests in whose names one of these is found; empty: all.
    public var names: [Pattern] = []
    /// Shows how expected and actual alerts differ line by line.
    public var showsDifference = false
    /// When it runs, for the report.
    public var now: Timestamp

    /// The report as JUnit writes it, of the last `run`.
    public private(set) var report = JUnitReport()

    private let files: ToolFiles

    public init(_ files: ToolFiles, now: Timestamp) {
        self.files = files
        self.now = now
    }

    /// An expression that is searched for in names.
    public static func name(_ expression: String) throws(PatternError) -> Pattern {
        // Alone first: messages quote what was written.
        _ = try Pattern(expression)
        return try Pattern("(?s:.*)(?-s:\(expression))(?s:.*)")
    }

    public mutating func run(_ paths: [String]) -> ToolOutput {
        report = JUnitReport()
        var output = ToolOutput()
        for path in paths {
            let problems = run(path, &output)
            if problems.isEmpty {
                output.say("  SUCCESS")
            } else {
                output.exitCode = 1
                output.complain("  FAILED:")
                for problem in problems {
                    output.complain(problem)
                    output.say()
                }
            }
            output.say()
        }
        return output
    }

    private mutating func run(_ path: String, _ output: inout ToolOutput) -> [String] {
        var suite = JUnitReport.Suite(name: path)
        defer { report.suites.append(suite) }
        let file: RuleTestFile
        do throws(ConfigError) {
            file = try read(path)
        } catch {
            suite.abort(error.description)
            return [error.description]
        }
        var groups: [String: Int] = [:]
        for (index, name) in file.groupOrder.enumerated() {
            if groups.updateValue(index, forKey: name) != nil {
                let problem = "group name repeated in evaluation order: \(name)"
                suite.abort(problem)
                return [problem]
            }
        }
        let rules = ruleFiles(file, path, &output)
        suite.time = String(TimeText.string(milliseconds: now.milliseconds / 1000 * 1000).dropLast())
        var problems: [String] = []
        for (index, test) in file.tests.enumerated() {
            guard names.isEmpty || names.contains(where: { $0.matches(test.name) }) else { continue }
            let run = RuleTestRun(
                test, every: file.evaluationInterval, order: groups, isFuzzy: file.isFuzzy,
                showsDifference: showsDifference, options: options)
            let found = run.problems(rules)
            suite.cases.append(.init(name: test.name.isEmpty ? "unnamed#\(index)" : test.name, failures: found))
            problems += found
        }
        return problems
    }

    private func read(_ path: String) throws(ConfigError) -> RuleTestFile {
        let text: [UInt8]
        do throws(TSDBError) { text = try files.read(path) } catch { throw ConfigError(error.message) }
        do throws(ConfigError) {
            return try RuleTestFile(text)
        } catch {
            throw ConfigError("\(error.position.map { "line \($0.line): " } ?? "")\(error.message)")
        }
    }

    /// Rule files, relative to the test's, with their content.
    private func ruleFiles(_ file: RuleTestFile, _ path: String, _ output: inout ToolOutput) -> [RuleTestRun.File] {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        var found: [RuleTestRun.File] = []
        for name in file.ruleFiles {
            let pattern = name.hasPrefix("/") || name.isEmpty ? name : folder + name
            let paths = files.glob(pattern)
            if paths.isEmpty { output.complain("  WARNING: no file match pattern \(pattern)") }
            for path in paths {
                do throws(TSDBError) {
                    found.append(.init(path: path, content: .success(try files.read(path))))
                } catch {
                    found.append(.init(path: path, content: .failure(error)))
                }
            }
        }
        return found
    }
}
