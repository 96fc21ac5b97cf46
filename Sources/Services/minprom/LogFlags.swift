import ArgumentParser
import Logging

/// Flags of everything that runs for long: how much it says, and in which form.
struct LogFlags: ParsableArguments {
    @Option(name: .customLong("log.level"), help: "debug, info, warn or error.")
    var level = "info"

    @Option(name: .customLong("log.format"), help: "logfmt or json.")
    var format = "logfmt"

    func logger() throws(StartError) -> Logger { try LogLines.logger(level: level, format: format) }
}
