import CSpawn
import Supervisor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One child: a process group of its own, its output in a pipe of ours.
///
/// It dies with us on Linux (`PR_SET_PDEATHSIG`), but with the *thread* that started it: whoever calls `start` does so from a thread
/// that lives as long as the supervisor. Its own children, and other systems: `Guardian`.
public struct ChildProcess: Sendable {
    public let pid: Int32
    /// Reading end of what it writes; the caller closes it.
    public let output: Int32

    public static func start(_ launch: Launch) throws(HostError) -> ChildProcess {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system("no pipe") }
        defer { close(ends[1]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        do throws(HostError) {
            let pid = try spawn(
                launch, output: ends[1], deathSignal: number(of: launch.deathSignal) ?? SIGKILL, isSession: false)
            return ChildProcess(pid: pid, output: ends[0])
        } catch {
            close(ends[0])
            throw error
        }
    }

    /// `isSession`: it lives on without us, in a session of its own.
    public static func spawn(_ launch: Launch, output: Int32, deathSignal: Int32, isSession: Bool) throws(HostError)
        -> Int32
    {
        guard let path = find(launch.program, launch.environment) else {
            throw HostError("\(launch.program): there is no such program")
        }
        let strings = [launch.program] + launch.arguments + launch.environment + [launch.directory]
        guard !strings.contains(where: { $0.utf8.contains(0) }) else {
            throw HostError("\(launch.program): a zero byte in its arguments")
        }
        let arguments = ([launch.program] + launch.arguments).map { strdup($0) } + [nil]
        let environment = launch.environment.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var pid: pid_t = 0
        let code = cspawn_start(
            path, arguments, environment, launch.directory, output, deathSignal, isSession ? 1 : 0, &pid)
        guard code == 0 else { throw .system(launch.program, code) }
        return pid
    }

    /// A program without a slash is looked for in the child's own PATH.
    private static func find(_ program: String, _ environment: [String]) -> String? {
        if program.utf8.contains(UInt8(ascii: "/")) { return program }
        let path =
            environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? "/usr/local/bin:/usr/bin:/bin"
        for folder in path.split(separator: ":") where access("\(folder)/\(program)", X_OK) == 0 {
            return "\(folder)/\(program)"
        }
        return nil
    }

    /// The whole group.
    public static func signal(_ pid: Int32, _ number: Int32) {
        guard pid > 1 else { return }
        kill(-pid, number)
    }

    public static func number(of signal: String) -> Int32? {
        let names = [
            "TERM": SIGTERM, "INT": SIGINT, "QUIT": SIGQUIT, "KILL": SIGKILL, "HUP": SIGHUP, "USR1": SIGUSR1,
            "USR2": SIGUSR2,
        ]
        return names[signal.hasPrefix("SIG") ? String(signal.dropFirst(3)) : signal]
            ?? Int32(signal).flatMap { (1...31).contains($0) ? $0 : nil }
    }

    /// Blocks until it ends; its remaining group is ended, too. The exit code, 128 + the signal where one ended it.
    public static func wait(for pid: Int32) -> Int {
        // First without taking the process away: until then its number, and its group's, are nobody else's.
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? Int(status >> 8 & 0xff) : 128 + Int(signal)
    }
}
