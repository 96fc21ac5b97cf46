import CSpawn

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs another program: fixed arguments, no shell, bytes on its standard input, a time after which it is killed.
///
///     Program(["/usr/bin/flush", "--cache=api"]).run(input: [], within: .seconds(5)) { false }     →  .exit(0)
///
/// It leads a process group of its own; whatever it started is gone when it is. It has our PATH, HOME, LANG and TZ, and no file
/// of ours but the three standard ones: its output is dropped, what it writes to its error output is kept for a message.
public struct Program: Sendable {
    /// Bytes of the error output that are kept.
    static let maximumErrorBytes = 4096

    public struct Ending: Equatable, Sendable {
        public enum Cause: Equatable, Sendable {
            case exit(Int32), signal(Int32)
            /// Killed: its time was over, or nobody wanted it any more.
            case late, cancelled
            /// It never ran.
            case noPipe(String), notStarted(String)
        }

        public var cause: Cause
        public var errorText = ""
    }

    private let command: [String]

    /// `command` begins with an absolute path.
    public init(_ command: [String]) { self.command = command }

    /// Blocks until the program is over.
    public func run(input: [UInt8], within limit: Duration, isCancelled: () -> Bool) -> Ending {
        guard let path = command.first, path.hasPrefix("/") else { return Ending(cause: .notStarted("no absolute path")) }
        guard !command.contains(where: { $0.utf8.contains(0) }) else { return Ending(cause: .notStarted("a zero byte in an argument")) }
        // A program that closes its input early must not end us; the thread is ours, so its mask may stay.
        var brokenPipe = sigset_t()
        sigemptyset(&brokenPipe)
        sigaddset(&brokenPipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &brokenPipe, nil)
        do throws(Failure) {
            var child = try Child(command, ["PATH", "HOME", "LANG", "TZ"])
            return child.finish(input: input, within: limit, isCancelled: isCancelled)
        } catch { return Ending(cause: error.cause) }
    }

    private struct Failure: Error { var cause: Ending.Cause }

    /// One running program. Its group is killed in `finish`, whatever happened.
    private struct Child {
        private let pid: pid_t
        private var input: Int32
        private let errors: Int32

        init(_ command: [String], _ environmentNames: [String]) throws(Failure) {
            var toChild: [Int32] = [-1, -1], fromChild: [Int32] = [-1, -1]
            guard Self.makePipe(&toChild), Self.makePipe(&fromChild) else {
                for descriptor in toChild + fromChild where descriptor >= 0 { close(descriptor) }
                throw Failure(cause: .noPipe(String(cString: strerror(errno))))
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
            for name in environmentNames {
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
                throw Failure(cause: .notStarted(String(cString: strerror(code))))
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

        mutating func finish(input bytes: [UInt8], within limit: Duration, isCancelled: () -> Bool) -> Ending {
            let start = ContinuousClock.now
            var rest = bytes[...]
            var errorText: [UInt8] = []
            var status: Int32?
            var cutShort: Ending.Cause?
            while status == nil {
                exchange(&rest, &errorText)
                if isOver {
                    status = reap()
                } else if isCancelled() || ContinuousClock.now - start > limit {
                    cutShort = isCancelled() ? .cancelled : .late
                    status = reap()
                }
            }
            exchange(&rest, &errorText)
            if input >= 0 { close(input) }
            close(errors)
            let code = status ?? 0
            let cause = cutShort ?? (code & 0x7f != 0 ? .signal(code & 0x7f) : .exit(code >> 8 & 0xff))
            return Ending(cause: cause, errorText: String(decoding: errorText, as: UTF8.self))
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
            if count > 0 { errorText += buffer[..<count].prefix(Program.maximumErrorBytes - errorText.count) }
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
