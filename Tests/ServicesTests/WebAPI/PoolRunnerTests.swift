import HTTPServer
import PromQL
import Synchronization
import Testing
import Threads

@testable import WebAPI

@Suite("Helpers from a pool")
struct PoolRunnerTests {
    @Test("helpers run beside the body, and all that began have returned when it is over")
    func joins() throws {
        let runner = PoolRunner(ThreadPool("helpers", threads: 3))
        #expect(runner.width == 4)
        let meeting = Monitor()
        let arrived = Counter(), returned = Counter()
        try runner.assist({
            arrived.add()
            meeting.lock()
            meeting.ring()
            meeting.unlock()
            returned.add()
        }) {
            // Nobody gets on until one helper is here.
            meeting.lock()
            while arrived.value == 0 { meeting.wait() }
            meeting.unlock()
        }
        #expect(returned.value == arrived.value)
        #expect(returned.value >= 1)
    }

    @Test("a pool without a free thread is no reason to wait, and its card is void afterwards")
    func busyPool() throws {
        let pool = ThreadPool("helpers", threads: 1)
        let gate = Monitor(), isOpen = Counter(), helped = Counter(), passed = Counter()
        try pool.submit {
            gate.lock()
            while isOpen.value == 0 { gate.wait() }
            gate.unlock()
        }
        let answer = try PoolRunner(pool).assist({ helped.add() }) { 42 }
        #expect(answer == 42)
        isOpen.add()
        gate.lock()
        gate.ring()
        gate.unlock()
        try pool.submit {
            gate.lock()
            passed.add()
            gate.ring()
            gate.unlock()
        }
        gate.lock()
        while passed.value == 0 { gate.wait() }
        gate.unlock()
        #expect(helped.value == 0)
    }

    @Test("what the body throws comes out, after the helpers")
    func failing() {
        let runner = PoolRunner(ThreadPool("helpers", threads: 2))
        #expect(throws: QueryError(.limit, "enough")) {
            try runner.assist({}) { () throws(QueryError) in throw QueryError(.limit, "enough") }
        }
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .acquiring) }
        func add() { count.wrappingAdd(1, ordering: .acquiringAndReleasing) }
    }
}

@Suite("JSON strings")
struct JSONStringTests {
    @Test("what must be escaped is, wherever it stands in a word of eight bytes")
    func escapes() {
        for length in 0..<20 {
            for place in 0..<max(1, length) {
                for byte in UInt8(0)...127 {
                    var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: length)
                    if length > 0 { bytes[place] = byte }
                    var json = JSONText()
                    bytes.withUnsafeBytes { json.appendQuoted($0) }
                    let written = Array(json.take().readableBytesView)
                    #expect(written == Self.plainly(bytes), "byte \(byte) at \(place) of \(length)")
                }
            }
        }
    }

    private static func plainly(_ bytes: [UInt8]) -> [UInt8] {
        var out = "\""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u00" + (digits.count == 1 ? "0" : "") + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return Array((out + "\"").utf8)
    }
}
