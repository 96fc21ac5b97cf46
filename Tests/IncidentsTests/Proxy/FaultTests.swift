import Testing

@testable import Incidents

@Suite("Faults as values")
struct FaultTests {
    @Test("what is posted is what is set")
    func read() throws {
        #expect(try Fault(json: #"{"mode":"drop"}"#) == Fault(.drop))
        #expect(
            try Fault(json: #"{"mode":"delay","delay_ms":250,"for_s":1.5}"#) == Fault(.delay, delay: .milliseconds(250), for: .milliseconds(1500)))
        #expect(try Fault(json: #"{"for_s":60,"mode":"reset"}"#) == Fault(.reset, for: .seconds(60)))
    }

    @Test(
        "what is not quite a fault is refused, not guessed",
        arguments: [
            "", "[]", "{}", "null", #"{"mode":"slow"}"#, #"{"mode":null}"#, #"{"mode":"delay"}"#, #"{"mode":"drop","delay_ms":5}"#,
            #"{"mode":"drop","for":60}"#, #"{"mode":"drop","for_s":0}"#, #"{"mode":"drop","for_s":-1}"#, #"{"mode":"drop","for_s":1e300}"#,
            #"{"mode":"drop","for_s":"60"}"#, #"{"mode":"delay","delay_ms":1e9}"#, #"{"mode":"drop"}x"#,
        ])
    func refused(text: String) { #expect(throws: IncidentError.self) { try Fault(json: text) } }

    @Test("a fault with an end is over by itself; one without stays until taken back")
    func over() {
        var faults = FaultSwitch()
        #expect(faults.json(at: .zero) == #"{"mode":null}"#)
        faults.set(Fault(.drop, for: .seconds(10)), at: .seconds(100))
        #expect(faults.current(at: .milliseconds(109_999))?.mode == .drop && faults.current(at: .seconds(110)) == nil)
        #expect(faults.json(at: .seconds(104)) == #"{"mode":"drop","for_s":6.0}"#)
        faults.set(Fault(.delay, delay: .milliseconds(250)), at: .seconds(105))
        #expect(faults.json(at: .seconds(9999)) == #"{"mode":"delay","delay_ms":250}"#)
        faults.clear()
        #expect(faults.current(at: .seconds(9999)) == nil)
    }
}
