import TSDB

/// Writes a protobuf message; what is zero or empty is left out, as proto3 does.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func number(_ field: Int, _ value: UInt64) {
        if value == 0 { return }
        key(field, 0)
        bytes.appendVarint(value)
    }

    mutating func text(_ field: Int, _ value: String) {
        if value.isEmpty { return }
        message(field, Array(value.utf8))
    }

    /// Written even where it is empty: an element of a list, a message that is there.
    mutating func message(_ field: Int, _ value: [UInt8]) {
        key(field, 2)
        bytes.appendVarint(UInt64(value.count))
        bytes += value
    }

    mutating func timestamp(_ field: Int, _ time: Timestamp) {
        var inner = ProtobufWriter()
        // Rounded down, so that nanoseconds are not negative.
        let part = ((time.milliseconds % 1000) + 1000) % 1000
        let seconds = time.milliseconds / 1000 - (time.milliseconds % 1000 < 0 ? 1 : 0)
        inner.number(1, UInt64(bitPattern: seconds))
        inner.number(2, UInt64(part) * 1_000_000)
        message(field, inner.bytes)
    }

    /// A list of numbers, packed.
    mutating func numbers(_ field: Int, _ values: [UInt64]) {
        if values.isEmpty { return }
        var inner: [UInt8] = []
        for value in values { inner.appendVarint(value) }
        message(field, inner)
    }

    /// Fields as they were read.
    mutating func raw(_ fields: [UInt8]) { bytes += fields }

    private mutating func key(_ field: Int, _ kind: UInt64) { bytes.appendVarint(UInt64(field) << 3 | kind) }
}

extension [UInt8] {
    /// A length and the message: one record of a state file.
    mutating func appendDelimited(_ message: [UInt8]) {
        appendVarint(UInt64(message.count))
        self += message
    }
}
