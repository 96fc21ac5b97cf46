/// Writes protobuf messages field by field, for pages made in tests.
///
///     var metric = MetricFamilyWriter()
///     metric.message(3) { $0.double(1, 5) }      // Metric { counter: Counter { value: 5 } }
public struct MetricFamilyWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    public mutating func unsigned(_ field: UInt64, _ value: UInt64) {
        varint(field << 3)
        varint(value)
    }

    /// A signed number in zigzag form.
    public mutating func signed(_ field: UInt64, _ value: Int64) { unsigned(field, Self.zigzag(value)) }

    public mutating func double(_ field: UInt64, _ value: Double) {
        varint(field << 3 | 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    public mutating func text(_ field: UInt64, _ value: String) { raw(field, Array(value.utf8)) }

    public mutating func raw(_ field: UInt64, _ value: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(value.count))
        bytes += value
    }

    public mutating func message(_ field: UInt64, _ body: (inout MetricFamilyWriter) -> Void) {
        var inner = MetricFamilyWriter()
        body(&inner)
        raw(field, inner.bytes)
    }

    public mutating func packed(_ field: UInt64, _ values: [Int64]) {
        var inner = MetricFamilyWriter()
        for value in values { inner.varint(Self.zigzag(value)) }
        raw(field, inner.bytes)
    }

    private static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }
}

extension MetricFamilyWriter {
    /// One delimited `MetricFamily` of `io.prometheus.client`; `metrics` write the fields of its metrics.
    public static func family(
        _ name: String, type: UInt64, help: String = "", unit: String = "", _ metrics: ((inout MetricFamilyWriter) -> Void)...
    ) -> [UInt8] {
        var family = MetricFamilyWriter()
        family.text(1, name)
        if !help.isEmpty { family.text(2, help) }
        family.unsigned(3, type)
        for metric in metrics { family.message(4, metric) }
        if !unit.isEmpty { family.text(5, unit) }
        var page = MetricFamilyWriter()
        page.varint(UInt64(family.bytes.count))
        return page.bytes + family.bytes
    }

    /// `LabelPair` of a metric.
    public mutating func label(_ name: String, _ value: String) {
        message(1) { label in
            label.text(1, name)
            label.text(2, value)
        }
    }

    /// `Bucket` of a classic histogram, with an exemplar where a trace is named.
    public mutating func bucket(_ bound: Double, _ count: UInt64, trace: String? = nil, at seconds: UInt64? = nil) {
        message(3) { bucket in
            bucket.unsigned(1, count)
            bucket.double(2, bound)
            if let trace { bucket.message(3) { $0.exemplar(trace, bound, at: seconds) } }
        }
    }

    /// The fields of an `Exemplar`.
    public mutating func exemplar(_ trace: String, _ value: Double, at seconds: UInt64?) {
        label("trace_id", trace)
        double(2, value)
        if let seconds { message(3) { $0.unsigned(1, seconds) } }
    }

    /// `BucketSpan`.
    public mutating func span(_ field: UInt64, _ offset: Int64, _ length: UInt64) {
        message(field) { span in
            span.signed(1, offset)
            span.unsigned(2, length)
        }
    }
}
