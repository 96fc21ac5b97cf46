import Alerter
import NIOPosix
import Support
import Synchronization
import TSDB
import Testing

@testable import Notify

@Suite("Notifications to programs and files", .timeLimit(.minutes(2)))
struct ExecAndLogTests {
    private let directory = TemporaryDirectory("notify")

    private func run(_ command: [String], timeout: TSDB.Duration = .seconds(20)) async throws -> NotificationOutcome {
        var settings = ExecSettings(command: command)
        settings.timeout = timeout
        var outcome = NotificationOutcome.sent
        try await NotifySupport.with { notifier in
            outcome = await notifier.send(NotifySupport.notification(.exec(settings)))
        }
        return outcome
    }

    @Test("a program gets the webhook's JSON on its standard input, its arguments as they are, and no file of ours")
    func program() async throws {
        let directory = directory.path
        let script =
            "cat > \(directory)/in; printf '%s|' \"$0\" \"$@\" > \(directory)/args; ls /proc/self/fd > \(directory)/fds; exit 0"
        let outcome = try await run(["/bin/sh", "-c", script, "a b", "$HOME", "; rm x"])
        #expect(outcome == .sent)
        #expect(NotifySupport.read(directory + "/in").hasPrefix("{\"receiver\":\"ops\","))
        #expect(NotifySupport.read(directory + "/in").hasSuffix("\"truncatedAlerts\":0}\n"))
        #expect(NotifySupport.read(directory + "/args") == "a b|$HOME|; rm x|")
        #expect(NotifySupport.read(directory + "/fds").split(separator: "\n").count <= 4)
    }

    @Test("exit codes: 0 sent, 75 try again, others do not; the error output is told")
    func exitCodes() async throws {
        let fine = try await run(["/bin/true"])
        #expect(fine == .sent)
        let message = "exec: /bin/sh: exit status 3: nope\n"
        let failed = try await run(["/bin/sh", "-c", "echo nope >&2; exit 3"])
        #expect(failed == .failed(reason: "other", message: message, isRetryable: false))
        let temporary = try await run(["/bin/sh", "-c", "exit 75"])
        #expect(temporary.isRetryable == true)
        let killed = try await run(["/bin/sh", "-c", "kill -9 $$"])
        #expect(killed.message == "exec: /bin/sh: killed by signal 9")
        let missing = try await run(["/nonexistent"])
        #expect(missing.isRetryable == false)
        let relative = try await run(["relative"])
        #expect(relative.isRetryable == false)
        let empty = try await run([])
        #expect(empty.isRetryable == false)
    }

    @Test("at its time limit a program is killed with all that it started")
    func timeout() async throws {
        let directory = directory.path
        let script = "sleep 1000 & echo $! > \(directory)/pid; wait"
        let outcome = try await run(["/bin/sh", "-c", script], timeout: .seconds(3))
        #expect(outcome.reason == "contextDeadlineExceeded" && outcome.isRetryable == true)
        let child = NotifySupport.read(directory + "/pid").filter(\.isNumber)
        try #require(!child.isEmpty)
        // Killed at once, but gone only when whoever inherited it has noticed.
        var state = "S"
        while state != "Z" && !state.isEmpty {
            let stat = NotifySupport.read("/proc/\(child)/stat")
            state = stat.isEmpty ? "" : String(stat.drop { $0 != ")" }.dropFirst(2).prefix(1))
            await Task.yield()
        }
    }

    @Test("what a program leaves behind is killed too, and a program that reads nothing harms nobody")
    func leftovers() async throws {
        let outcome = try await run(["/bin/sh", "-c", "exec <&-; sleep 1000 & exit 0"])
        #expect(outcome == .sent)
    }

    @Test("no more than the configured number run at once; the next is tried again later")
    func concurrency() async throws {
        let directory = directory.path
        let settings = ExecSettings(command: [
            "/bin/sh", "-c", "touch \(directory)/up; while [ ! -e \(directory)/go ]; do sleep 0.05; done",
        ])
        try await NotifySupport.with { notifier in
            let first = Task { await notifier.send(NotifySupport.notification(.exec(settings))) }
            while (try? SmallFile.bytes(directory + "/up")) == nil { await Task.yield() }
            let second = await notifier.send(NotifySupport.notification(.exec(settings)))
            #expect(second == .failed(reason: "other", message: "exec: 1 already running", isRetryable: true))
            try NotifySupport.write("", to: directory + "/go")
            #expect(await first.value == .sent)
        }
    }

    @Test("a program nobody waits for any more is killed")
    func cancelled() async throws {
        let directory = directory.path
        let settings = ExecSettings(command: ["/bin/sh", "-c", "touch \(directory)/up; sleep 1000"])
        try await NotifySupport.with { notifier in
            let task = Task { await notifier.send(NotifySupport.notification(.exec(settings))) }
            while (try? SmallFile.bytes(directory + "/up")) == nil { await Task.yield() }
            task.cancel()
            #expect(await task.value.reason == "contextCanceled")
        }
    }

    @Test("log appends a line of JSON to its file, or gives it to the server's log")
    func log() async throws {
        let path = directory("alerts.log")
        var settings = LogSettings()
        let lines = Lines()
        try await NotifySupport.with(log: { lines.add($0) }) { notifier in
            #expect(await notifier.send(NotifySupport.notification(.log(settings))) == .sent)
            settings.path = path
            for _ in 0..<2 { #expect(await notifier.send(NotifySupport.notification(.log(settings))) == .sent) }
            settings.path = "/nonexistent/x"
            #expect(await notifier.send(NotifySupport.notification(.log(settings))).isRetryable == false)
        }
        let line = "{\"time\":\"2026-01-02T03:04:35.25Z\",\"receiver\":\"ops\""
        #expect(lines.all.count == 1 && lines.all.allSatisfy { $0.hasPrefix(line) })
        let written = NotifySupport.read(path).split(separator: "\n")
        #expect(written.count == 2 && written.allSatisfy { $0.hasPrefix(line) && $0.hasSuffix("}") })
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }
}
