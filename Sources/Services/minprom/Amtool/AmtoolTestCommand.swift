import ArgumentParser
import ConfigurationFile
import Notify

/// `minprom amtool test`: unit tests of an Alertmanager's configuration.
struct AmtoolTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Test a configuration: routing, grouping, inhibition, time intervals, notifications and their texts.",
        discussion:
            "The format of the files: docs/learn/testing-alertmanager-configs.md. Time is virtual: a day of alerts takes no time."
    )

    @Argument(help: "Files of tests.")
    var files: [String]

    @Option(help: "Write the outcome to this file, in JUnit's XML.")
    var junit: String?

    func run() async throws {
        var reports: [AlertmanagerTestReport] = []
        for path in files {
            let report = AlertmanagerTestReport(
                AlertmanagerTestReader(path: path, read: AmtoolFiles.read), zones: ZoneFiles())
            print(report.text, terminator: "")
            reports.append(report)
        }
        if let junit, !Console.writeFile(junit, Array(AlertmanagerTestReport.junit(reports).utf8)) {
            throw AmtoolOptions.fail("\(junit) cannot be written")
        }
        if !reports.allSatisfy(\.isSuccess) { throw ExitCode(1) }
    }
}
