import Programs
import Testing

@testable import Incidents

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The `minprom` beside this test program.
private let minprom: String? = {
    let own = ProgramFile.own
    guard let slash = own.lastIndex(of: "/") else { return nil }
    return ProgramFile.find(own[..<slash] + "/minprom")
}()

@Suite("Pressure, and children that always end", .timeLimit(.minutes(1)))
struct PressureTests {
    @Test("memory: what is wanted, or enough for the alert, and never the last of it")
    func bounds() {
        #expect(Pressure.megabytes(wanted: 500, available: 1000, total: 2000) == 500)
        #expect(Pressure.megabytes(wanted: 745, available: 1000, total: 2000) == nil)
        #expect(Pressure.megabytes(wanted: 0, available: 9000, total: 12_000) == 8000)
        // A twelfth of a small machine is less than what we spare.
        #expect(Pressure.megabytes(wanted: 0, available: 600, total: 1200) == 344)
        #expect(Pressure.megabytes(wanted: 0, available: 100, total: 1000) == nil)
    }

    @Test("cores, megabytes and time are bounded")
    func clamped() {
        #expect(Pressure(.cpu(cores: 0), for: .zero).arguments == ["press", "--cores", "1", "--for-ms", "1"])
        #expect(Pressure(.memory(megabytes: -5), for: .seconds(1_000_000)).arguments == ["press", "--mb", "0", "--for-ms", "3600000"])
    }

    @Test("a child ends when its input does, which is when we do; its code is told")
    func input() async throws {
        let cat = try ChildProgram(try #require(ProgramFile.find("cat")), [])
        #expect(cat.exitCode == nil)
        cat.closeInput()
        #expect(await cat.wait() == 0)
        let shell = try ChildProgram("/bin/sh", ["-c", "exit 7"])
        #expect(await shell.wait() == 7)
        #expect(throws: IncidentError.self) { try ChildProgram("/nowhere/at/all", []) }
    }

    @Test("stop ends it and collects it; twice is once; so does a cancelled wait")
    func stop() async throws {
        let cat = try #require(ProgramFile.find("cat"))
        let child = try ChildProgram(cat, [])
        child.stop()
        child.stop()
        #expect(child.exitCode == 128 + 9 && kill(child.pid, 0) != 0)
        let other = try ChildProgram(cat, [])
        let waiting = Task { await other.wait() }
        waiting.cancel()
        #expect(await waiting.value == 128 + 9)
    }

    @Test("dropping the last reference ends the child")
    func dropped() throws {
        let pid = try ChildProgram(try #require(ProgramFile.find("cat")), []).pid
        #expect(kill(pid, 0) != 0)
    }

    @Test("pressure ends at its deadline, and at once when the parent is gone", .enabled(if: minprom != nil))
    func press() async throws {
        let program = try #require(minprom)
        for pressure in [Pressure(.cpu(cores: 1), for: .milliseconds(100)), Pressure(.memory(megabytes: 8), for: .milliseconds(100))] {
            #expect(await (try ChildProgram(program, pressure.arguments)).wait() == 0)
        }
        for pressure in [Pressure(.cpu(cores: 1), for: .seconds(3000)), Pressure(.memory(megabytes: 8), for: .seconds(3000))] {
            let child = try ChildProgram(program, pressure.arguments)
            child.closeInput()
            #expect(await child.wait() == 0)
        }
    }

    @Test("an incident's child is ended by its revert", .enabled(if: minprom != nil))
    func reverted() async throws {
        let client = StackClient()
        var options = IncidentOptions()
        options.cores = 1
        options.length = .seconds(3000)
        let run = IncidentRun(IncidentPlan(.cpu, options), StackAddresses(), client, token: nil, program: try #require(minprom))
        try await run.begin()
        #expect(run.isPressing)
        #expect(await run.revert() == [])
        await client.shutdown()
    }
}
