import ArgumentParser
import Incidents

/// `minprom press`: the child process of cpu and memory incidents. Not for people: it ends as soon as its standard input does.
struct PressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "press", abstract: "Keep processors or memory busy (a child of minprom incident).", shouldDisplay: false)

    @Option(help: "Processors to keep busy.")
    var cores: Int?

    @Option(help: "Megabytes to hold; 0: enough for HostLowMemory.")
    var mb: Int?

    @Option(name: .customLong("for-ms"), help: "How long, in milliseconds.")
    var milliseconds: Int64

    func run() throws {
        let length = Duration.milliseconds(min(max(milliseconds, 1), 86_400_000))
        let kind: Pressure.Kind
        switch (cores, mb) {
        case (let cores?, nil): kind = .cpu(cores: cores)
        case (nil, let mb?): kind = .memory(megabytes: mb)
        default: throw ExitCode(Console.complain("one of --cores and --mb is wanted"))
        }
        do throws(IncidentError) { try Pressure(kind, for: length).run() } catch {
            throw ExitCode(Console.complain(error.message))
        }
    }
}
