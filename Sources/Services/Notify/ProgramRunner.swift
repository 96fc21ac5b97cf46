import Alerter
import CSpawn
import Synchronization
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs the program of an `exec` receiver: fixed arguments, no shell, the notification on its standard input.
///
///     exit 0 sent │ exit 75 (EX_TEMPFAIL), killed, too slow: try again │ any other exit: do not
///
/// It leads a process group of its own; whatever it started is gone when it is. It has our PATH, HOME, LANG and TZ, and no file
/// of ours but the three standard ones: what it writes to its error output is part of a failure's message.
final class ProgramRunner: Sendable {
    /// Bytes of the error output that are kept.
    static let maximumErrorBytes = 4096
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
        // A program that closes its input early must not end us; the thread is ours, so its mask may stay.
        var brokenPipe = sigset_t()
        sigemptyset(&brokenPipe)
        sigaddset(&brokenPipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &brokenPipe, nil)
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
        var process = try Child(settings.command)
        return try process.finish(input: input, within: settings.timeout, path: path) {
            cancellation.isCancelled || stopped.isCancelled
        }
    }

    /// One running program. Its group is killed in `finish`, whatever happened.
    private struct Child {
        private let pid: pid_t
        private var input: Int32
        private let errors: Int32

        init(_ command: [String]) throws(AttemptError) {
            var toChild: [Int32] = [-1, -1], fromChild: [Int32] = [-1, -1]
            guard Self.makePipe(&toChild), Self.makePipe(&fromChild) else {
                for descriptor in toChild + fromChild where descriptor >= 0 { close(descriptor) }
                throw AttemptError(.other, "exec: no pipe: \(String(cString: strerror(errno)))", isRetryable: true)
            }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
            posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, fromChild[1], 2)
            _ = cspawn_close_from(&actions, 3)

            var attributes = posix_spawnattr_t()
            posix_spawnattr_init(&attributes)
            defer { posix_spawnattr_destroy(&attributes) }
            // A group of its own, and signals as a fresh program has them: servers ignore SIGPIPE and block others.
            posix_spawnattr_setflags(
                &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
            posix_spawnattr_setpgroup(&attributes, 0)
            var signals = sigset_t()
            sigemptyset(&signals)
            posix_spawnattr_setsigmask(&attributes, &signals)
            sigaddset(&signals, SIGPIPE)
            sigaddset(&signals, SIGTERM)
            sigaddset(&signals, SIGINT)
            posix_spawnattr_setsigdefault(&attributes, &signals)

            var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
            var environment: [UnsafeMutablePointer<CChar>?] = []
            for name in ["PATH", "HOME", "LANG", "TZ"] {
                if let value = getenv(name) { environment.append(strdup("\(name)=\(String(cString: value))")) }
            }
            environment.append(nil)
            defer { for pointer in arguments + environment { free(pointer) } }
            var pid: pid_t = 0
            let code = posix_spawn(&pid, command[0], &actions, &attributes, &arguments, &environment)
            close(toChild[0])
            close(fromChild[1])
            guard code == 0 else {
                close(toChild[1])
                close(fromChild[0])
                throw AttemptError(
                    .other, "exec: \(command[0]): \(String(cString: strerror(code)))", isRetryable: false)
            }
            self.pid = pid
            input = toChild[1]
            errors = fromChild[0]
            for descriptor in [input, errors] {
                _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            }
        }

        /// Both ends close when another program is started.
        private static func makePipe(_ ends: inout [Int32]) -> Bool {
            guard pipe(&ends) == 0 else { return false }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return true
        }

        mutating func finish(
            input bytes: [UInt8], within timeout: TSDB.Duration, path: String, isCancelled: () -> Bool
        ) throws(AttemptError) -> String {
            let start = ContinuousClock.now
            let limit = Swift.Duration.milliseconds(max(1, timeout.milliseconds))
            var rest = bytes[...]
            var errorText: [UInt8] = []
            var status: Int32?
            var isLate = false
            while status == nil {
                exchange(&rest, &errorText)
                if isOver {
                    status = reap()
                } else if isCancelled() || ContinuousClock.now - start > limit {
                    isLate = true
                    kill(-pid, SIGKILL)
                    status = reap()
                }
            }
            exchange(&rest, &errorText)
            if input >= 0 { close(input) }
            close(errors)
            let text = String(decoding: errorText, as: UTF8.self)
            let shown = text.isEmpty ? "" : ": " + text
            if isLate {
                if isCancelled() {
                    throw AttemptError(.contextCanceled, "exec: \(path): context canceled", isRetryable: true)
                }
                throw AttemptError(
                    .contextDeadlineExceeded, "exec: \(path): killed after \(timeout.milliseconds) ms\(shown)",
                    isRetryable: true)
            }
            let code = status ?? 0
            if code & 0x7f != 0 {
                throw AttemptError(.other, "exec: \(path): killed by signal \(code & 0x7f)\(shown)", isRetryable: true)
            }
            let exit = code >> 8 & 0xff
            guard exit == 0 else {
                throw AttemptError(
                    .other, "exec: \(path): exit status \(exit)\(shown)",
                    isRetryable: exit == ProgramRunner.temporaryFailure)
            }
            return text
        }

        /// Writes and reads what goes without waiting, and waits a little where nothing does.
        private mutating func exchange(_ rest: inout ArraySlice<UInt8>, _ errorText: inout [UInt8]) {
            if input >= 0 && rest.isEmpty {
                close(input)
                input = -1
            }
            var polled = [pollfd(fd: errors, events: Int16(POLLIN), revents: 0)]
            if input >= 0 { polled.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
            poll(&polled, nfds_t(polled.count), 10)
            if input >= 0 {
                let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if count < 0, errno != EAGAIN, errno != EINTR {
                    rest = []
                }
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(errors, &buffer, buffer.count)
            if count > 0 { errorText += buffer[..<count].prefix(ProgramRunner.maximumErrorBytes - errorText.count) }
            // Its error output closed while it runs on: not to spin.
            if count == 0, input < 0 { usleep(2000) }
        }

        /// The leader has ended, and is not yet reaped: its number is still its own.
        private var isOver: Bool {
            var info = siginfo_t()
            return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && isSet(info)
        }

        private func isSet(_ info: siginfo_t) -> Bool { info.si_signo == SIGCHLD }

        private func reap() -> Int32 {
            kill(-pid, SIGKILL)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            return status
        }
    }
}
