import Alerter
import Programs
import Synchronization
import TSDB

/// Runs the program of an `exec` receiver: fixed arguments, no shell, the notification on its standard input.
///
///     exit 0 sent │ exit 75 (EX_TEMPFAIL), killed, too slow: try again │ any other exit: do not
///
/// It leads a process group of its own; whatever it started is gone when it is. It has our PATH, HOME, LANG and TZ, and no file
/// of ours but the three standard ones: what it writes to its error output is part of a failure's message.
final class ProgramRunner: Sendable {
    private static let temporaryFailure: Int32 = 75

    /// Set when the server goes down: programs are not waited for.
    let stopped = Cancellation()
    private let running = Mutex<[String: Int]>([:])

    /// Blocks until the program is over. `slot` names the integration, whose concurrency is bounded.
    func run(
        _ settings: ExecSettings, slot: String, input: [UInt8], _ cancellation: Cancellation
    ) throws(AttemptError) -> String {
        guard let path = settings.command.first, path.hasPrefix("/"),
            !settings.command.contains(where: { $0.utf8.contains(0) })
        else {
            throw AttemptError(.other, "exec: the command must begin with an absolute path", isRetryable: false)
        }
        let limit = max(1, settings.concurrency)
        let isFree = running.withLock { running in
            guard running[slot, default: 0] < limit else { return false }
            running[slot, default: 0] += 1
            return true
        }
        guard isFree else { throw AttemptError(.other, "exec: \(limit) already running", isRetryable: true) }
        defer {
            running.withLock { running in
                running[slot, default: 1] -= 1
                if running[slot] == 0 { running[slot] = nil }
            }
        }
        let ending = Program(settings.command).run(input: input, within: .milliseconds(max(1, settings.timeout.milliseconds))) {
            cancellation.isCancelled || stopped.isCancelled
        }
        return try Self.verdict(ending, path: path, timeout: settings.timeout)
    }

    private static func verdict(_ ending: Program.Ending, path: String, timeout: TSDB.Duration) throws(AttemptError) -> String {
        let text = ending.errorText, shown = text.isEmpty ? "" : ": " + text
        switch ending.cause {
        case .exit(0): return text
        case .exit(let status):
            throw AttemptError(.other, "exec: \(path): exit status \(status)\(shown)", isRetryable: status == temporaryFailure)
        case .signal(let number): throw AttemptError(.other, "exec: \(path): killed by signal \(number)\(shown)", isRetryable: true)
        case .cancelled: throw AttemptError(.contextCanceled, "exec: \(path): context canceled", isRetryable: true)
        case .late:
            throw AttemptError(
                .contextDeadlineExceeded, "exec: \(path): killed after \(timeout.milliseconds) ms\(shown)", isRetryable: true)
        case .noPipe(let reason): throw AttemptError(.other, "exec: no pipe: \(reason)", isRetryable: true)
        case .notStarted(let reason): throw AttemptError(.other, "exec: \(path): \(reason)", isRetryable: false)
        }
    }
}
