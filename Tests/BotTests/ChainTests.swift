import BotCore
import Support
import TSDB
import Testing

/// The log shows every change.
struct ChainTests {
    private func log() throws -> [UInt8] {
        var scene = try Scene(.restarting())
        scene.values = { _ in [2.5] }
        try scene.fire(.firing("APIHighLatency", ["path": "/health", "odd": "“\u{202e}\n\"\\"]))
        try scene.advance(.minutes(3))
        return scene.sink.bytes
    }

    @Test("one edited byte is found, at its line; wherever it is")
    func editedByte() throws {
        let bytes = try log()
        var line = 1
        // Every byte when soaking; else one of eleven, and all line ends.
        let stride = TestSeed.cases(1) > 1 ? 1 : 11
        for index in bytes.indices {
            let isTried = index % stride == 0 || bytes[index] == UInt8(ascii: "\n")
            for mask in isTried ? [[UInt8(1)], [0x20], [0x80]][index % 3] : [] {
                var edited = bytes
                edited[index] ^= mask
                do throws(BotError) {
                    let file = try IncidentLogFile(edited, keepsRecords: false)
                    // The last newline gone is a torn line, and that is told.
                    #expect(index == bytes.count - 1 && file.tornBytes > 0, "byte \(index)")
                } catch {
                    #expect(error.message.hasPrefix("line \(line):"), "byte \(index): \(error.message)")
                }
            }
            if bytes[index] == UInt8(ascii: "\n") { line += 1 }
        }
        #expect(line > 6)
    }

    @Test("a line that is taken out, doubled or moved is found")
    func movedLines() throws {
        let lines = try log().split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
        for index in lines.indices.dropLast() {
            var without = lines
            without.remove(at: index)
            #expect(throws: BotError.self) { _ = try IncidentLogFile(without.flatMap { $0 }) }
            var doubled = lines
            doubled.insert(lines[index], at: index)
            #expect(throws: BotError.self) { _ = try IncidentLogFile(doubled.flatMap { $0 }) }
            var swapped = lines
            swapped.swapAt(index, index + 1)
            #expect(throws: BotError.self) { _ = try IncidentLogFile(swapped.flatMap { $0 }) }
        }
    }

    @Test("cut at any byte it is whole up to the last complete line")
    func cutAnywhere() throws {
        let bytes = try log()
        for count in stride(from: 0, through: bytes.count, by: 37) {
            let file = try IncidentLogFile(Array(bytes[..<count]))
            #expect(file.length + file.tornBytes == count)
        }
    }

    @Test("records are read back as they were written")
    func roundTrip() throws {
        let file = try IncidentLogFile(try log())
        #expect(file.records.first?.labels["odd"] == "“\u{202e}\n\"\\")
        #expect(file.records.map(\.event) == [.received, .decision, .intent, .action, .verified, .escalated, .notified])
        #expect(file.records.first { $0.event == .verified }?.verify == .init(query: "p95", before: 2.5, after: 2.5, ok: false))
        #expect(file.records.first { $0.event == .escalated }?.notify == ["pager"])
        #expect(file.records.first?.key == .init(groupKey: "{}", fingerprint: "f1", startsAt: "2026-11-24T16:00:00Z"))
    }

    @Test("the Docker filter's audit is a chain, too, and goes on after a restart")
    func audit() throws {
        let files = MemoryFileStore()
        for _ in 0..<2 {
            let audit = try AuditLog(path: "/audit", files)
            #expect(audit.write("GET", "/info", "10.0.0.1", "refused", at: Timestamp(milliseconds: 1)) == nil)
            audit.close()
        }
        let log = try IncidentLogFile(try files.readAll("/audit"))
        #expect(log.records.map(\.target) == ["/info", "/info"])
    }
}
