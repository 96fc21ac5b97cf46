import NIOCore
import Testing

@testable import DemoAPI

@Suite("Faults on purpose")
struct FaultTests {
    private let begin = ContinuousClock.now

    private func wish(_ text: String) throws -> FaultText.Wish { try FaultText.parse(ByteBuffer(string: text)) }

    @Test("a fault is for its path only; without one for all")
    func path() throws {
        let fault = try wish(#"{"status":503,"path":"/health"}"#).fault
        #expect(fault.striking("/health", chance: 0).status == 503)
        #expect(fault.striking("/transactions", chance: 0).isNone)
        #expect(try wish(#"{"status":503}"#).fault.striking("/transactions", chance: 0).status == 503)
    }

    @Test("a probability strikes as many requests as it says")
    func probability() throws {
        let fault = try wish(#"{"throw":true,"probability":0.25}"#).fault
        #expect((0..<100).filter { fault.striking("/", chance: Double($0) / 100).throwsException }.count == 25)
        #expect(try wish(#"{"throw":true,"probability":0}"#).fault.striking("/", chance: 0).isNone)
    }

    @Test("a posted fault takes the environment's place, and gives it back when its time is over or it is reverted")
    func life() throws {
        var environment = Fault()
        environment.latency = .milliseconds(100)
        var state = FaultState(environment)
        #expect(state.current(at: begin) == environment)
        let wish = try wish(#"{"status":500,"for_s":30}"#)
        state.set(wish.fault, for: wish.duration, at: begin)
        #expect(state.current(at: begin + .seconds(29)).status == 500)
        #expect(state.remaining(at: begin + .seconds(29)) == .seconds(1))
        #expect(state.current(at: begin + .seconds(30)) == environment)
        #expect(state.remaining(at: begin + .seconds(30)) == nil)
        state.set(wish.fault, for: nil, at: begin)
        #expect(state.current(at: begin + .seconds(1_000_000)).status == 500)
        state.revert()
        #expect(state.current(at: begin) == environment)
    }

    @Test(
        "what is no fault is refused, and says which field",
        arguments: [
            ("", "JSON"), ("[]", "object"), ("{", "JSON"), (#"{"latency":1}"#, "latency"), (#"{"latency_ms":"1"}"#, "latency_ms"),
            (#"{"latency_ms":-1}"#, "latency_ms"), (#"{"latency_ms":1e300}"#, "latency_ms"), (#"{"status":99}"#, "status"),
            (#"{"status":503.5}"#, "status"),
            (#"{"status":1e99}"#, "status"), (#"{"probability":1.1}"#, "probability"), (#"{"path":"health"}"#, "path"), (#"{"for_s":0}"#, "for_s"),
            (#"{"throw":1}"#, "throw"),
        ])
    func refused(text: String, field: String) {
        #expect { try wish(text) } throws: { ($0 as? FaultText.Mistake)?.message.contains(field) == true }
    }

    @Test("the environment says the same as a posted fault")
    func environment() throws {
        let variables = [
            "CHAOS_LATENCY_MS": "250", "CHAOS_PATH": "/health", "CHAOS_STATUS": "503", "CHAOS_THROW": "true", "CHAOS_DB_DELAY_MS": "2000",
            "CHAOS_PROBABILITY": "0.5",
        ]
        let posted = try wish(
            #"{"latency_ms":250,"path":"/health","status":503,"throw":true,"db_delay_ms":2000,"probability":0.5}"#)
        #expect(try FaultText.environment { variables[$0] } == posted.fault)
        #expect(try FaultText.environment { _ in nil }.isNone)
        #expect(throws: FaultText.Mistake.self) { try FaultText.environment { $0 == "CHAOS_STATUS" ? "nan" : nil } }
    }
}
