import Supervisor
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Asks whether a service is healthy; blocks no longer than the check's timeout.
public enum HealthProbe {
    static func ask(_ probe: Probe, _ launch: Launch) -> Bool {
        switch probe {
        case .http(let pages):
            return pages.allSatisfy { failure(of: $0, milliseconds: launch.probeTimeout.milliseconds) == nil }
        case .command(let words):
            var check = launch
            check.program = words.first ?? ""
            check.arguments = Array(words.dropFirst())
            return run(check, milliseconds: launch.probeTimeout.milliseconds)
        }
    }

    /// `nil`: the page answers with 2xx. Otherwise what it did.
    public static func failure(of page: Probe.Page, milliseconds: Int64) -> String? {
        do throws(HostError) {
            let answer = try PlainHTTP.request(
                "GET", page.path, at: .tcp(host: page.host, port: page.port), hostHeader: page.hostHeader,
                milliseconds: milliseconds)
            return (200..<300).contains(answer.status) ? nil : "status \(answer.status)"
        } catch { return error.message }
    }

    /// Exit 0 in time. A process group of its own; killed when time is up.
    private static func run(_ launch: Launch, milliseconds: Int64) -> Bool {
        let nothing = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard nothing >= 0 else { return false }
        defer { close(nothing) }
        // No death signal: it would come with the end of this thread. It ends by itself, or by its timeout.
        guard let pid = try? ChildProcess.spawn(launch, output: nothing, deathSignal: 0, isSession: false) else {
            return false
        }
        let deadline = monotonicMilliseconds() + max(1, milliseconds)
        var pause: UInt32 = 2_000
        while true {
            var status: Int32 = 0
            let done = waitpid(pid, &status, WNOHANG)
            if done == pid { return status == 0 }
            if done < 0 && errno != EINTR { return false }
            if monotonicMilliseconds() >= deadline {
                kill(-pid, SIGKILL)
                _ = ChildProcess.wait(for: pid)
                return false
            }
            usleep(pause)
            pause = min(pause * 2, 50_000)
        }
    }
}
