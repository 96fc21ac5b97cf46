import ArgumentParser
import ConfigurationFile
import Numbers
import PromQL
import RegularExpression
import TSDB
import Tool

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// `minprom tool`: what promtool does with files, in the same words and with the same exit codes.
///
///     minprom tool check config prometheus.yml
///     minprom tool check rules --lint-fatal rules/*.yml
///     minprom tool test rules --run latency tests.yml
struct ToolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tool", abstract: "Check configurations and rules, and run rules' unit tests, as promtool does.",
        subcommands: [Check.self, Test.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Check files.", subcommands: [CheckConfig.self, CheckRules.self])
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Run unit tests.", subcommands: [TestRules.self])
    }
}

/// Options of all tools.
struct ToolFeatures: ParsableArguments {
    @Option(
        name: .customLong("enable-feature"),
        help: "Allow parts of the language: promql-experimental-functions, promql-duration-expr.")
    var features: [String] = []

    var options: ParserOptions {
        get throws {
            var options = ParserOptions()
            for name in features.flatMap({ $0.split(separator: ",") }) {
                switch name {
                case "promql-experimental-functions": options.experimentalFunctions = true
                case "promql-duration-expr": options.durationExpressions = true
                default: throw ValidationError("unknown feature \(name)")
                }
            }
            return options
        }
    }
}

/// Options of lints.
struct ToolLints: ParsableArguments {
    @Option(help: "Lints to apply, separated by commas: all, duplicate-rules, too-long-scrape-interval, none.")
    var lint = "duplicate-rules"

    @Flag(name: .customLong("lint-fatal"), help: "Exit with code 3 where a lint complains.")
    var isFatal = false

    func apply(to tool: inout CheckTool) throws {
        tool.lints = []
        for name in lint.split(separator: ",", omittingEmptySubsequences: false) {
            guard let lint = CheckTool.Lint(rawValue: String(name)) else {
                throw ValidationError("unknown lint \(name)")
            }
            tool.lints.insert(lint)
        }
        tool.isLintFatal = isFatal
    }
}

struct CheckConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check configuration files and the rule files that they name.")

    @Argument(help: "Configuration files.")
    var files: [String]

    @Flag(name: .customLong("syntax-only"), help: "Check the file alone, not what it names.")
    var isSyntaxOnly = false

    @OptionGroup var lints: ToolLints
    @OptionGroup var features: ToolFeatures

    @Option(name: .customLong("query.lookback-delta"), help: "The server's, for too-long-scrape-interval.")
    var lookback = "5m"

    func run() throws {
        var tool = CheckTool(.system)
        tool.options = try features.options
        try lints.apply(to: &tool)
        do throws(DurationError) {
            tool.lookback = .milliseconds(try DurationText.parse(lookback))
        } catch {
            throw ValidationError("--query.lookback-delta: \(error.message)")
        }
        try tool.configurations(files, isSyntaxOnly: isSyntaxOnly).show()
    }
}

struct CheckRules: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rules", abstract: "Check rule files.")

    @Argument(help: "Rule files.")
    var files: [String]

    @OptionGroup var lints: ToolLints
    @OptionGroup var features: ToolFeatures

    func run() throws {
        var tool = CheckTool(.system)
        tool.options = try features.options
        try lints.apply(to: &tool)
        try tool.rules(files).show()
    }
}

struct TestRules: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Run unit tests for rules, in promtool's format.")

    @Argument(help: "Test files.")
    var files: [String]

    @Option(name: .customLong("run"), help: "Run only tests whose names match the expression; may be repeated.")
    var names: [String] = []

    @Option(help: "Write a report in JUnit's XML to this file.")
    var junit: String?

    @Flag(help: "Show line by line how expected and actual alerts differ.")
    var diff = false

    @OptionGroup var features: ToolFeatures

    func run() throws {
        var tool = RuleTestTool(.system, now: SystemClock().now())
        tool.options = try features.options
        tool.showsDifference = diff
        do throws(PatternError) {
            for name in names { tool.names.append(try RuleTestTool.name(name)) }
        } catch {
            throw ValidationError("--run: \(error.message)")
        }
        let output = tool.run(files)
        if let junit, !Console.writeFile(junit, Array(tool.report.xml.utf8)) {
            throw ExitCode(Console.complain("cannot write \(junit)"))
        }
        try output.show()
    }
}

extension ToolOutput {
    /// Prints it, and ends with its code.
    fileprivate func show() throws {
        for line in lines {
            switch line.stream {
            case .standard: print(line.text)
            case .error:
                // In order, where both go to one place.
                fflush(nil)
                Console.write(line.text + "\n")
            }
        }
        if exitCode != 0 { throw ExitCode(exitCode) }
    }
}

extension ToolFiles {
    fileprivate static var system: ToolFiles {
        ToolFiles(
            read: { (path: String) throws(TSDBError) in
                try DiskFileStore().readAll(path, limit: YAMLReader.maximumBytes)
            }, glob: matchingPaths)
    }
}

/// `glob(3)`, under a name that `ToolFiles.glob` does not hide.
private func matchingPaths(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { index in found.gl_pathv[index].map { String(cString: $0) } }
}
