import Alerter
import TextTemplate

/// The outcome of a file of tests, as text and for continuous integration.
public struct AlertmanagerTestReport: Sendable {
    public struct Outcome: Sendable {
        public var name: String
        public var problems: [AlertmanagerTestRun.Problem]
    }

    public var path: String
    public var outcomes: [Outcome] = []
    /// Where the tests could not even be read.
    public var failure: String?

    public init(path: String) { self.path = path }

    /// Reads and runs a file.
    public init(_ reader: AlertmanagerTestReader, zones: any TemplateZones) {
        path = reader.path
        do throws(ConfigError) {
            let file = try reader.load()
            let templates: NotificationTemplates
            do throws(TemplateError) {
                templates = try NotificationTemplates(files: file.config.templates, zones: zones)
            } catch {
                throw ConfigError(error.message)
            }
            for test in file.tests {
                outcomes.append(
                    Outcome(
                        name: test.name,
                        problems: AlertmanagerTestRun.problems(of: test, in: file, templates: templates)))
            }
        } catch { failure = error.description }
    }

    public var isSuccess: Bool { failure == nil && outcomes.allSatisfy(\.problems.isEmpty) }

    /// A line per test, and one per problem.
    public var text: String {
        if let failure { return "FAILED \(path)\n  \(failure)\n" }
        var text = ""
        for outcome in outcomes {
            text += (outcome.problems.isEmpty ? "PASS   " : "FAILED ") + outcome.name + "\n"
            for problem in outcome.problems { text += "  \(path):\(problem.line): \(problem.message)\n" }
        }
        return text
    }

    /// A `testsuite` of JUnit's XML.
    var junit: String {
        let failures = outcomes.filter { !$0.problems.isEmpty }.count
        var xml =
            "<testsuite name=\"\(Self.escaped(path))\" tests=\"\(max(1, outcomes.count))\" failures=\"\(failures)\" errors=\"\(failure == nil ? 0 : 1)\">\n"
        if let failure {
            xml += "<testcase name=\"\(Self.escaped(path))\"><error message=\"\(Self.escaped(failure))\"/></testcase>\n"
        }
        for outcome in outcomes {
            xml += "<testcase name=\"\(Self.escaped(outcome.name))\">"
            for problem in outcome.problems {
                xml += "<failure message=\"\(Self.escaped("line \(problem.line): \(problem.message)"))\"/>"
            }
            xml += "</testcase>\n"
        }
        return xml + "</testsuite>\n"
    }

    /// All files' outcomes as one JUnit document.
    public static func junit(_ reports: [AlertmanagerTestReport]) -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n" + reports.map(\.junit).joined() + "</testsuites>\n"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case "\t": result += "&#9;"
            // XML has no other control characters, not even escaped.
            case _ where scalar.value < 0x20: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
