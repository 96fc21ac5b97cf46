import HTTPServer
import JSON
import NIOCore

/// Faults as JSON, as the endpoint reads and shows them, and as variables of the environment.
enum FaultText {
    struct Wish: Equatable {
        var fault = Fault()
        /// `for_s`.
        var duration: Swift.Duration?
    }

    /// Why a fault was not understood, in one line.
    struct Mistake: Error, Equatable {
        var message: String
        init(_ message: String) { self.message = message }
    }

    /// Waits longer than this are taken for a mistake.
    private static let longestMilliseconds = 600_000.0
    /// Two days.
    private static let longestSeconds = 172_800.0

    static func parse(_ body: ByteBuffer) throws(Mistake) -> Wish {
        let document: JSONValue
        do throws(JSONError) {
            document = try body.withUnsafeReadableBytes { bytes in
                Result { () throws(JSONError) in try JSONValue(parsing: bytes) }
            }.get()
        } catch { throw Mistake("no JSON: \(error)") }
        guard case .object(let members) = document else { throw Mistake("a JSON object is wanted") }
        var wish = Wish()
        for member in members {
            switch (member.name, member.value) {
            case ("latency_ms", .number(let value)): wish.fault.latency = try milliseconds(value, member.name)
            case ("db_delay_ms", .number(let value)): wish.fault.databaseDelay = try milliseconds(value, member.name)
            case ("path", .string(let path)): wish.fault.path = try Self.path(path, member.name)
            case ("path", .null), ("status", .null), ("for_s", .null): break
            case ("status", .number(let value)): wish.fault.status = try status(value, member.name)
            case ("throw", .bool(let flag)): wish.fault.throwsException = flag
            case ("probability", .number(let value)): wish.fault.probability = try probability(value, member.name)
            case ("for_s", .number(let value)):
                guard value > 0, value <= longestSeconds else { throw Mistake("for_s must be in 0…\(Int(longestSeconds))") }
                wish.duration = .milliseconds(Int64(value * 1000))
            case ("latency_ms", _), ("db_delay_ms", _), ("path", _), ("status", _), ("throw", _), ("probability", _), ("for_s", _):
                throw Mistake("\(member.name) has a value of the wrong type")
            default:
                throw Mistake("unknown field \"\(member.name)\": latency_ms, path, status, throw, db_delay_ms, probability and for_s are known")
            }
        }
        return wish
    }

    /// From `CHAOS_LATENCY_MS`, `CHAOS_PATH`, `CHAOS_STATUS`, `CHAOS_THROW`, `CHAOS_DB_DELAY_MS`, `CHAOS_PROBABILITY`.
    static func environment(_ value: (String) -> String?) throws(Mistake) -> Fault {
        var fault = Fault()
        func number(_ name: String) throws(Mistake) -> Double? {
            guard let text = value(name), !text.isEmpty else { return nil }
            guard let number = Double(text) else { throw Mistake("\(name): \"\(text)\" is no number") }
            return number
        }
        if let wait = try number("CHAOS_LATENCY_MS") { fault.latency = try milliseconds(wait, "CHAOS_LATENCY_MS") }
        if let wait = try number("CHAOS_DB_DELAY_MS") { fault.databaseDelay = try milliseconds(wait, "CHAOS_DB_DELAY_MS") }
        if let code = try number("CHAOS_STATUS") { fault.status = try status(code, "CHAOS_STATUS") }
        if let chance = try number("CHAOS_PROBABILITY") { fault.probability = try probability(chance, "CHAOS_PROBABILITY") }
        if let text = value("CHAOS_PATH"), !text.isEmpty { fault.path = try path(text, "CHAOS_PATH") }
        if let text = value("CHAOS_THROW"), !text.isEmpty { fault.throwsException = ["1", "true", "yes", "on"].contains(text.lowercased()) }
        return fault
    }

    static func write(_ fault: Fault, remaining: Swift.Duration?, to text: inout JSONText) {
        text.append(#"{"active":"#)
        text.append(!fault.isNone)
        text.append(#","latency_ms":"#)
        text.append(milliseconds(fault.latency))
        text.append(#","path":"#)
        if let path = fault.path { text.appendQuoted(path) } else { text.append("null" as StaticString) }
        text.append(#","status":"#)
        if let status = fault.status { text.append(status) } else { text.append("null" as StaticString) }
        text.append(#","throw":"#)
        text.append(fault.throwsException)
        text.append(#","db_delay_ms":"#)
        text.append(milliseconds(fault.databaseDelay))
        text.append(#","probability":"#)
        text.append(fault.probability)
        text.append(#","remaining_s":"#)
        if let remaining { text.append(milliseconds(remaining) / 1000) } else { text.append("null" as StaticString) }
        text.append("}\n" as StaticString)
    }

    private static func milliseconds(_ value: Double, _ name: String) throws(Mistake) -> Swift.Duration {
        guard value >= 0, value <= longestMilliseconds else { throw Mistake("\(name) must be in 0…\(Int(longestMilliseconds))") }
        return .microseconds(Int64(value * 1000))
    }

    private static func status(_ value: Double, _ name: String) throws(Mistake) -> Int {
        guard let code = Int(exactly: value), (200...599).contains(code) else { throw Mistake("\(name) must be in 200…599") }
        return code
    }

    private static func probability(_ value: Double, _ name: String) throws(Mistake) -> Double {
        guard value >= 0, value <= 1 else { throw Mistake("\(name) must be in 0…1") }
        return value
    }

    private static func path(_ text: String, _ name: String) throws(Mistake) -> String {
        guard text.hasPrefix("/"), text.utf8.count <= 200 else { throw Mistake("\(name) must begin with / and have at most 200 bytes") }
        return text
    }

    private static func milliseconds(_ duration: Swift.Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) * 1000 + Double(attoseconds / 1_000_000_000_000) / 1000
    }
}
