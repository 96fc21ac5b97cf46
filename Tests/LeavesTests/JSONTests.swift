import Support
import Testing

@testable import JSON

@Suite("JSON is read as it is written, and anything else is an error with its place")
struct JSONTests {
    @Test(
        "every kind of value",
        arguments: [
            ("null", JSONValue.null), ("true", .bool(true)), (" false ", .bool(false)), ("0", .number(0)),
            ("-0.5e+2", .number(-50)),
            ("\"\"", .string("")), ("\"a\\n\\u00e9\\\"\\/\"", .string("a\né\"/")), ("\"\\ud83d\\ude00\"", .string("😀")),
            ("\"\\ud83d\"", .string("\u{fffd}")), ("\"\\ud83d\\u0041\"", .string("\u{fffd}A")), ("[]", .array([])),
            ("[1 , [2],\"x\"]", .array([.number(1), .array([.number(2)]), .string("x")])), ("{}", .object([])),
            (
                "{\"b\":1,\"a\":{\"c\":null}}",
                .object([
                    .init(name: "b", value: .number(1)),
                    .init(name: "a", value: .object([.init(name: "c", value: .null)])),
                ])
            ),
        ])
    func values(text: String, expected: JSONValue) throws { #expect(try JSONValue(parsing: text) == expected) }

    @Test(
        "what is no JSON is refused at its place",
        arguments: [
            ("", 0), ("  ", 2), ("[1,]", 3), ("[1 2]", 3), ("{\"a\" 1}", 5), ("{\"a\":1,}", 7), ("{a:1}", 1), ("01", 2),
            ("1.", 2),
            ("1e", 2), ("-", 1), ("+1", 0), ("nul", 0), ("\"a", 2), ("\"a\\", 3), ("\"\\x\"", 2), ("\"\\u12g4\"", 5),
            ("\"\u{1}\"", 1),
            ("1 1", 2), ("]", 0), ("{\"a\":}", 5), ("[", 1), ("{\"a\":[}", 6), ("NaN", 0), ("1e999", 5),
        ])
    func refused(text: String, offset: Int) {
        #expect { try JSONValue(parsing: text) } throws: { ($0 as? JSONError)?.offset == offset }
    }

    @Test("a string that is not UTF-8 is refused")
    func notUTF8() {
        let bytes: [UInt8] = [0x22, 0x61, 0xff, 0x22]
        #expect(throws: JSONError.self) { try bytes.withUnsafeBytes { try JSONValue(parsing: $0) } }
    }

    @Test("64 levels are read, a million are an error and no crash")
    func depth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSONValue(parsing: nested(64))
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(65)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test("a skipped value ends where a read one does")
    func skip() throws {
        let text = "[{\"a\":[1,2,{\"b\":\"]}\"}]},\"\\\"\", 7]"
        try Array(text.utf8).withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            try reader.beginArray()
            var ranges: [String] = []
            while try reader.nextElement() { ranges.append(reader.text(try reader.skip())) }
            try reader.finish()
            #expect(ranges == ["{\"a\":[1,2,{\"b\":\"]}\"}]}", "\"\\\"\"", "7"])
        }
    }

    @Test("documents with damaged bytes are read or refused, never worse", arguments: TestSeed.seeds(2))
    func damaged(seed: UInt64) {
        let document = Array(
            "{\"status\":\"success\",\"data\":{\"result\":[{\"metric\":{\"a\":\"b\\u00e9\\n\"},\"values\":[[1.5,\"2\"],[-3e7,null]]}]}}"
                .utf8)
        var random = SeededRandom(seed: seed)
        for _ in 0..<TestSeed.cases(10_000) {
            var bytes = document
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                default: bytes.insert(Array("[]{}\",:\\0e".utf8).randomElement(using: &random) ?? 0, at: at)
                }
            }
            bytes.withUnsafeBytes { bytes in
                do throws(JSONError) { _ = try JSONValue(parsing: bytes) } catch {
                    #expect((0...bytes.count).contains(error.offset), "seed \(seed): \(error)")
                }
            }
        }
    }
}
