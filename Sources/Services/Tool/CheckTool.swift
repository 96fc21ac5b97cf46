import ConfigurationFile
import Numbers
import PromQL
import Scraper
import TSDB

/// `tool check rules`, `tool check config`: what promtool says about files, in its words.
///
///     Checking alerts.yml
///       SUCCESS: 12 rules found
///
/// Exit codes: 0; 1 where a file is wrong; 3 where only a lint complains and `isLintFatal`.
/// Source: Prometheus, `cmd/promtool/main.go`.
public struct CheckTool {
    public enum Lint: String, CaseIterable, Sendable {
        case all
        case duplicateRules = "duplicate-rules"
        case tooLongScrapeInterval = "too-long-scrape-interval"
        case none
    }

    public var lints: Set<Lint> = [.duplicateRules]
    public var isLintFatal = false
    /// Scrape intervals from here on make series go stale between scrapes.
    public var lookback = Duration.minutes(5)
    public var options = ParserOptions()

    private let files: ToolFiles
    private var output = ToolOutput()
    private var hasFailed = false
    private var hasErrors = false

    public init(_ files: ToolFiles) { self.files = files }

    private func wants(_ lint: Lint) -> Bool {
        !lints.contains(.none) && (lints.contains(lint) || lints.contains(.all))
    }

    public mutating func rules(_ paths: [String]) -> ToolOutput {
        begin()
        for path in paths { check(rules: path) }
        return end()
    }

    /// `isSyntaxOnly`: does not look at the files that the configuration names.
    public mutating func configurations(_ paths: [String], isSyntaxOnly: Bool = false) -> ToolOutput {
        begin()
        for path in paths { check(configuration: path, isSyntaxOnly) }
        return end()
    }

    private mutating func begin() {
        output = ToolOutput()
        (hasFailed, hasErrors) = (false, false)
    }

    private mutating func end() -> ToolOutput {
        if hasFailed && hasErrors { output.exitCode = 1 } else if hasFailed && isLintFatal { output.exitCode = 3 }
        return output
    }

    // MARK: Rules

    private mutating func check(rules path: String) {
        output.say("Checking \(path)")
        let text: [UInt8]
        do throws(TSDBError) {
            text = try files.read(path)
        } catch {
            fail(["\(path): \(error.message)"])
            return
        }
        let check = RuleFileCheck(text, options: options)
        guard check.problems.isEmpty else {
            fail(check.problems.map { "\(path): \($0)" })
            return
        }
        let duplicates = wants(.duplicateRules) ? check.duplicates : []
        if duplicates.isEmpty {
            output.say("  SUCCESS: \(check.rules.count) rules found")
        } else {
            hasFailed = true
            output.complain("  FAILED:")
            var lines = "lint error \(duplicates.count) duplicate rule(s) found.\n"
            for rule in duplicates {
                lines += "Metric: \(rule.name)\nLabel(s):\n"
                for label in rule.labels.pairs { lines += "\t\(label.name): \(label.value)\n" }
            }
            output.complain(lines + "Might cause inconsistency while recording expressions")
        }
        output.say()
    }

    private mutating func fail(_ problems: [String]) {
        (hasFailed, hasErrors) = (true, true)
        output.complain("  FAILED:")
        for problem in problems { output.complain(problem) }
    }

    // MARK: Configurations

    private mutating func check(configuration path: String, _ isSyntaxOnly: Bool) {
        output.say("Checking \(path)")
        let files = files
        let configuration: Configuration
        var ruleFiles: [String] = []
        do throws(ConfigError) {
            // Rule files are checked one by one below, with all their errors; here they read as empty.
            configuration = try ConfigurationFile(path: path, options: options) { (wanted: String) throws(TSDBError) in
                try wanted == path ? files.read(path) : Array("groups: []\n".utf8)
            }.load()
            if !isSyntaxOnly { ruleFiles = try self.ruleFiles(configuration) }
        } catch {
            (hasFailed, hasErrors) = (true, true)
            output.complain("  FAILED: \(error.file.isEmpty ? "" : "parsing YAML file ")\(error)")
            output.say()
            return
        }
        if !ruleFiles.isEmpty { output.say("  SUCCESS: \(ruleFiles.count) rule files found") }
        output.say(" SUCCESS: \(path) is valid prometheus config file syntax")
        output.say()
        guard !isSyntaxOnly else { return }
        if wants(.tooLongScrapeInterval),
            let scrape = configuration.scrapeConfigs.first(where: { $0.interval >= lookback })
        {
            hasFailed = true
            output.complain(
                "  FAILED: too long scrape interval found, data point will be marked as stale - job: \(scrape.jobName), interval: \(DurationText.string(milliseconds: scrape.interval.milliseconds))"
            )
        }
        for file in ruleFiles { check(rules: file) }
    }

    private func ruleFiles(_ configuration: Configuration) throws(ConfigError) -> [String] {
        var found: [String] = []
        for pattern in configuration.ruleFiles {
            let paths = files.glob(pattern)
            if paths.isEmpty && !pattern.contains("*") {
                throw ConfigError("\"\(pattern)\" does not point to an existing file")
            }
            found += paths
        }
        return found
    }
}
