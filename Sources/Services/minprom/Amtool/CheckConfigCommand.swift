import Alerter
import ArgumentParser
import ConfigurationFile
import TSDB
import TextTemplate

/// `minprom amtool check-config`: whether configuration files would be taken, and the templates they name.
struct CheckConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Validate alertmanager config files.")

    @Argument(help: "Files to be validated; without any, standard input.")
    var files: [String] = []

    @OptionGroup var options: AmtoolOptions

    func run() async throws {
        var failed = 0
        for path in files.isEmpty ? ["/dev/stdin"] : files {
            print("Checking '\(path)'", terminator: "")
            do throws(ConfigError) {
                let config = try AmtoolFiles.config(path)
                print("  SUCCESS\nFound:\n - global config\n - route")
                print(" - \(config.inhibitRules.count) inhibit rules\n - \(config.receivers.count) receivers")
                print(" - \(config.templatePatterns.count) templates")
                if !config.templatePatterns.isEmpty, !checkTemplates(config) { failed += 1 }
                for warning in config.warnings { Console.write("minprom: warning: \(path): \(warning)\n") }
            } catch {
                print("  FAILED: \(error)")
                failed += 1
            }
            print("")
        }
        if failed > 0 { throw AmtoolOptions.fail("failed to validate \(failed) file(s)") }
    }

    private func checkTemplates(_ config: AlertmanagerConfig) -> Bool {
        do throws(TemplateError) {
            _ = try NotificationTemplates(files: config.templates)
            print("  SUCCESS")
            return true
        } catch {
            print("  FAILED: \(error.message)")
            return false
        }
    }
}

/// Files that the commands read.
enum AmtoolFiles {
    static let maximumBytes = 8 << 20

    static func config(_ path: String) throws(ConfigError) -> AlertmanagerConfig {
        try AlertmanagerFile(path: path, read: read).load()
    }

    static func read(_ path: String) throws(TSDBError) -> [UInt8] {
        // Devices and pipes tell no size.
        if path == "/dev/stdin" || path == "-" { return try Console.readInput(limit: maximumBytes) }
        return try DiskFileStore().readAll(path, limit: maximumBytes)
    }
}
