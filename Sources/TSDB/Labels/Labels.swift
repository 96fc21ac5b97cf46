/// A series' identity: label names and values, sorted by name, packed into one byte string.
///
///     ┌ length ┬ name bytes ┬ length ┬ value bytes ┐ … repeated, names strictly ascending
///     └ varint ┴────────────┴ varint ┴─────────────┘
///
/// One allocation per label set, compared and hashed as bytes. Inside the head labels live as pairs of symbol
/// numbers instead (`SymbolTable`); `Labels` is what crosses the seams: results, rules, the scrape cache's misses.
///
/// Invariants: names are not empty and strictly ascending by bytes; values are not empty (an empty value means the
/// label is absent, as in Prometheus' data model); names and values are valid UTF-8.
public struct Labels: Sendable {
    /// The packed form drawn above.
    public let packed: [UInt8]

    /// The empty label set `{}`.
    public init() { packed = [] }

    /// Trusts `packed` to keep the invariants; for readers that have checked them.
    @inlinable
    public init(uncheckedPacked packed: [UInt8]) { self.packed = packed }

    /// Sorts `pairs` by name, drops empty values; of equal names the last one wins.
    public init(_ pairs: some Sequence<(name: String, value: String)>) {
        var builder = LabelsBuilder()
        for pair in pairs { builder.set(pair.name, to: pair.value) }
        self = builder.labels()
    }

    public init(_ pairs: KeyValuePairs<String, String>) {
        self.init(pairs.lazy.map { (name: $0.key, value: $0.value) })
    }

    public var isEmpty: Bool { packed.isEmpty }

    /// Number of labels. O(size).
    public var count: Int {
        var n = 0
        forEachPair { _, _ in n += 1 }
        return n
    }

    /// The value of the label `name`, or `nil` where the series has no such label. O(size).
    public subscript(name: String) -> String? {
        var name = name
        return name.withUTF8 { wanted in
            withValue(of: UnsafeRawBufferPointer(wanted)) { $0.map { String(decoding: $0, as: UTF8.self) } }
        }
    }

    /// The metric name, `__name__`.
    public var metricName: String? { self[MetricName.label] }

    /// Calls `body` with the bytes of the value of `name`, or `nil`.
    public func withValue<R>(of name: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer?) -> R) -> R {
        packed.withUnsafeBytes { bytes in
            var cursor = PackedLabelCursor(bytes)
            while let (candidate, value) = cursor.next() {
                if candidate.equals(name) { return body(value) }
            }
            return body(nil)
        }
    }

    /// Visits the labels in name order, as bytes that live as long as the call.
    @inlinable
    public func forEachPair(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        packed.withUnsafeBytes { bytes in
            var cursor = PackedLabelCursor(bytes)
            while let (name, value) = cursor.next() { body(name, value) }
        }
    }

    /// The labels in name order, as strings: for output and tests, not for inner loops.
    public var pairs: [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        forEachPair { name, value in
            result.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
        return result
    }

    /// 64-bit hash of the packed bytes; equal label sets have equal hashes within one run of the process.
    public var hash64: UInt64 { packed.withUnsafeBytes { Hash64.hash($0) } }
}

extension Labels {
    /// Whether `packed` keeps the invariants of a packed label set; for bytes that come from a disk or a network.
    public static func validate(packed: UnsafeRawBufferPointer) throws(TSDBError) {
        var cursor = ByteCursor(packed)
        var last: UnsafeRawBufferPointer?
        while cursor.remaining > 0 {
            let name = try cursor.takeBytes(try cursor.takeCount(atMost: cursor.remaining))
            let value = try cursor.takeBytes(try cursor.takeCount(atMost: cursor.remaining))
            guard !name.isEmpty, !value.isEmpty else {
                throw TSDBError(.invalid, "a label with an empty name or value", offset: cursor.position)
            }
            if let last, last.order(against: name) >= 0 {
                throw TSDBError(.invalid, "label names out of order", offset: cursor.position)
            }
            last = name
        }
        guard last != nil else { throw TSDBError(.invalid, "empty label set") }
    }
}

/// Names that mean something to the system.
public enum MetricName {
    public static let label = "__name__"
}

extension Labels: Hashable {
    public static func == (a: Labels, b: Labels) -> Bool { a.packed == b.packed }
    public func hash(into hasher: inout Hasher) { hasher.combine(hash64) }
}

extension Labels: Comparable {
    /// Upstream's order: label by label, names before values; a prefix sorts first.
    public static func < (a: Labels, b: Labels) -> Bool {
        a.packed.withUnsafeBytes { a in
            b.packed.withUnsafeBytes { b in
                var left = PackedLabelCursor(a), right = PackedLabelCursor(b)
                while true {
                    guard let (bName, bValue) = right.next() else { return false }
                    guard let (aName, aValue) = left.next() else { return true }
                    let names = aName.order(against: bName)
                    if names != 0 { return names < 0 }
                    let values = aValue.order(against: bValue)
                    if values != 0 { return values < 0 }
                }
            }
        }
    }
}

extension Labels: CustomStringConvertible, ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.lazy.map { (name: $0.0, value: $0.1) })
    }

    /// As PromQL shows it: `http_requests_total{code="200", method="get"}`.
    public var description: String {
        let name = metricName ?? ""
        let rest = pairs.filter { $0.name != MetricName.label }
        if rest.isEmpty && !name.isEmpty { return name }
        return name + "{" + rest.map { "\($0.name)=\(quoted($0.value))" }.joined(separator: ", ") + "}"
    }
}

/// A value in double quotes with `"`, `\` and line breaks escaped.
private func quoted(_ value: String) -> String {
    var result = "\""
    for scalar in value.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

/// Walks a packed label set.
public struct PackedLabelCursor {
    @usableFromInline var bytes: UnsafeRawBufferPointer
    @usableFromInline var position = 0

    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next name and value, or `nil` at the end.
    @inlinable @inline(__always)
    public mutating func next() -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        guard position < bytes.count else { return nil }
        let name = take()
        let value = take()
        return (name, value)
    }

    @inlinable @inline(__always)
    mutating func take() -> UnsafeRawBufferPointer {
        var length = Int(bytes[position])
        position &+= 1
        // Names and values are short: one byte of length is the rule.
        if length >= 0x80 { length = takeLength(length & 0x7f) }
        let start = position
        position &+= length
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    /// The rest of a length whose first seven bits are `low`.
    @usableFromInline
    mutating func takeLength(_ low: Int) -> Int {
        var length = low, shift = 7
        while true {
            let byte = bytes[position]
            position &+= 1
            length |= Int(byte & 0x7f) << shift
            if byte < 0x80 { return length }
            shift += 7
        }
    }
}
