import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A program that runs for us and never longer than us: its standard input is a pipe whose other end we hold, so it ends when we do,
/// even by `kill -9`. What it says goes where ours goes.
///
/// Invariant: it is collected exactly once; `stop` may be called any number of times.
public final class ChildProgram: Sendable {
    public let pid: pid_t
    private struct State {
        var input: Int32
        /// Exit code, or 128 and the signal; `nil`: it runs.
        var code: Int32?
    }
    private let state: Mutex<State>

    /// `path` is the program's file.
    public init(_ path: String, _ arguments: [String]) throws(IncidentError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw IncidentError(.system, "pipe: \(String(cString: strerror(errno)))") }
        // Our end is nobody else's: a child that inherited it would keep the other alive.
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        defer { close(ends[0]) }
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        if ends[0] != STDIN_FILENO { posix_spawn_file_actions_addclose(&actions, ends[0]) }
        let words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var made: pid_t = 0
        let code = posix_spawn(&made, path, &actions, nil, words, environ)
        guard code == 0 else {
            close(ends[1])
            throw IncidentError(.system, "\(path) does not start: \(String(cString: strerror(code)))")
        }
        pid = made
        state = Mutex(State(input: ends[1]))
    }

    deinit { stop() }

    /// Its exit code, or 128 and the signal that ended it; `nil` while it runs.
    public var exitCode: Int32? {
        state.withLock { state in
            Self.collect(pid, &state, wait: false)
            return state.code
        }
    }

    /// Waits for its end; a cancelled task stops it.
    public func wait() async -> Int32 {
        while true {
            if let code = exitCode { return code }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { stop() }
        }
    }

    /// What happens to it when we are gone.
    func closeInput() {
        state.withLock { state in
            if state.input >= 0 { close(state.input) }
            state.input = -1
        }
    }

    /// Ends it, now.
    public func stop() {
        state.withLock { state in
            guard state.code == nil else { return }
            Self.collect(pid, &state, wait: false)
            guard state.code == nil else { return }
            kill(pid, SIGKILL)
            Self.collect(pid, &state, wait: true)
        }
    }

    private static func collect(_ pid: pid_t, _ state: inout State, wait: Bool) {
        guard state.code == nil else { return }
        var status: Int32 = 0
        var answer: pid_t
        repeat { answer = waitpid(pid, &status, wait ? 0 : WNOHANG) } while answer < 0 && errno == EINTR
        guard answer != 0 else { return }
        let signal = status & 0x7f
        state.code = answer < 0 ? 127 : signal == 0 ? (status >> 8) & 0xff : 128 + signal
        if state.input >= 0 { close(state.input) }
        state.input = -1
    }
}
