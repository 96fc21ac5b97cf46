/// Edits a label set: relabeling, `label_replace`, grouping and target labels go through here.
///
/// Small and linear on purpose: label sets have a dozen entries, and a dozen string comparisons beat a dictionary.
public struct LabelsBuilder: Sendable {
    /// Current labels in no particular order; names are unique, values are not empty.
    private var entries: [(name: String, value: String)] = []

    public init() {}

    public init(_ labels: Labels) { entries = labels.pairs }

    /// The value of `name`, or the empty string where there is none (relabeling reads absent labels so).
    public subscript(name: String) -> String {
        entries.first { $0.name.hasSameBytes(as: name) }?.value ?? ""
    }

    /// Sets `name`; an empty value removes it.
    public mutating func set(_ name: String, to value: String) {
        if let index = entries.firstIndex(where: { $0.name.hasSameBytes(as: name) }) {
            if value.isEmpty { entries.remove(at: index) } else { entries[index].value = value }
        } else if !value.isEmpty && !name.isEmpty {
            entries.append((name, value))
        }
    }

    public mutating func remove(_ name: String) { entries.removeAll { $0.name.hasSameBytes(as: name) } }

    public mutating func removeAll(where condition: (_ name: String) -> Bool) {
        entries.removeAll { condition($0.name) }
    }

    /// The current labels, in no particular order.
    public var pairs: [(name: String, value: String)] { entries }

    /// The finished label set, sorted.
    public func labels() -> Labels {
        // Go's and our order is by UTF-8 bytes; Swift's String order is by Unicode canonical equivalence.
        let sorted = entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var packed: [UInt8] = []
        packed.reserveCapacity(sorted.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 })
        for entry in sorted {
            packed.appendLabelPart(entry.name)
            packed.appendLabelPart(entry.value)
        }
        return Labels(uncheckedPacked: packed)
    }
}

extension String {
    /// Swift's `==` holds different spellings of one character for equal; labels are bytes.
    fileprivate func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

extension [UInt8] {
    /// Appends a length and the bytes: one half of a packed label.
    mutating func appendLabelPart(_ text: String) {
        appendVarint(UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// Appends a length and the bytes: one half of a packed label.
    public mutating func appendLabelPart(_ bytes: UnsafeRawBufferPointer) {
        appendVarint(UInt64(bytes.count))
        append(contentsOf: bytes)
    }

    /// Eight bytes, little endian.
    mutating func appendWord(_ word: UInt64) {
        Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
    }

    /// LEB128, as Go's and protobuf's `uvarint`.
    public mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}
