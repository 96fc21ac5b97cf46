import Histograms
import TSDB

/// A native histogram of a remote-write request.
///
///     Histogram   1 count_int  │ 2 count_float      3 sum    4 schema   5 zero_threshold   6 zero_count_int │ 7 zero_count_float
///                 8 negative_spans*   9 negative_deltas*  10 negative_counts*      14 reset_hint     15 timestamp (ms)
///                11 positive_spans*  12 positive_deltas*  13 positive_counts*      16 custom_values*
///     BucketSpan  1 offset (zigzag)   2 length
///
/// `count_float` makes it one of floats, whose buckets are the counts; any other has whole numbers, whose buckets are the deltas. Repeated
/// numbers come packed, as every sender writes them, or one by one.
/// Source: prompb/types.proto.
struct HistogramMessage {
    private(set) var time = Timestamp(milliseconds: 0)
    private var isFloat = false
    private var integerCount: UInt64 = 0, integerZeroCount: UInt64 = 0
    private var float = FloatHistogram()
    private var positiveDeltas: [Int64] = [], negativeDeltas: [Int64] = []

    init(_ message: UnsafeRawBufferPointer) throws(ProtobufError) {
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, 0): (isFloat, integerCount) = (false, try reader.varint())
            case (2, 1): (isFloat, float.count) = (true, try reader.double())
            case (3, 1): float.sum = try reader.double()
            case (4, 0): float.schema = Int32(truncatingIfNeeded: try reader.zigzag())
            case (5, 1): float.zeroThreshold = try reader.double()
            case (6, 0): (float.zeroCount, integerZeroCount) = (0, try reader.varint())
            case (7, 1): (float.zeroCount, integerZeroCount) = (try reader.double(), 0)
            case (8, 2): float.negativeSpans.append(try Self.span(try reader.lengthDelimited()))
            case (9, let type): try Self.deltas(&reader, type, into: &negativeDeltas)
            case (10, let type): try Self.doubles(&reader, type, into: &float.negativeBuckets)
            case (11, 2): float.positiveSpans.append(try Self.span(try reader.lengthDelimited()))
            case (12, let type): try Self.deltas(&reader, type, into: &positiveDeltas)
            case (13, let type): try Self.doubles(&reader, type, into: &float.positiveBuckets)
            case (14, 0): float.hint = Self.hint(try reader.varint())
            case (15, 0): time = Timestamp(milliseconds: Int64(bitPattern: try reader.varint()))
            case (16, let type): try Self.doubles(&reader, type, into: &float.customBounds)
            default: try reader.skip(field.wireType)
            }
        }
    }

    /// Exponential schemas that are known and finer than what is stored: their buckets are merged.
    private static let finerSchemas: ClosedRange<Int32> = 9...52

    /// As it is stored; throws upstream's reason where it is none. Nothing is computed from it before its parts fit each other.
    func sample() throws(HistogramError) -> HistogramSample {
        let finest = FloatHistogram.exponentialSchemas.upperBound
        let isFiner = Self.finerSchemas.contains(float.schema)
        if isFloat {
            var histogram = float
            if isFiner { histogram.schema = finest }
            try histogram.validate()
            if isFiner {
                histogram.schema = float.schema
                histogram.reduceResolution(to: finest)
            }
            return .float(histogram)
        }
        var histogram = IntegerHistogram(
            hint: float.hint, schema: isFiner ? finest : float.schema, zeroThreshold: float.zeroThreshold,
            zeroCount: integerZeroCount, count: integerCount, sum: float.sum, positiveSpans: float.positiveSpans,
            negativeSpans: float.negativeSpans, positiveDeltas: positiveDeltas, negativeDeltas: negativeDeltas,
            customBounds: float.customBounds)
        try histogram.validate()
        if isFiner {
            histogram.schema = float.schema
            histogram.reduceResolution(to: finest)
        }
        return .integer(histogram)
    }

    // MARK: Parts

    private static func span(_ message: UnsafeRawBufferPointer) throws(ProtobufError) -> BucketSpan {
        var reader = ProtobufReader(message)
        var span = BucketSpan(offset: 0, length: 0)
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, 0): span.offset = Int32(truncatingIfNeeded: try reader.zigzag())
            case (2, 0): span.length = UInt32(truncatingIfNeeded: try reader.varint())
            default: try reader.skip(field.wireType)
            }
        }
        return span
    }

    private static func deltas(
        _ reader: inout ProtobufReader, _ wireType: UInt8, into list: inout [Int64]
    ) throws(ProtobufError) {
        switch wireType {
        case 0: list.append(try reader.zigzag())
        case 2:
            var packed = ProtobufReader(try reader.lengthDelimited())
            while !packed.isAtEnd { list.append(try packed.zigzag()) }
        default: try reader.skip(wireType)
        }
    }

    private static func doubles(
        _ reader: inout ProtobufReader, _ wireType: UInt8, into list: inout [Double]
    ) throws(ProtobufError) {
        switch wireType {
        case 1: list.append(try reader.double())
        case 2:
            var packed = ProtobufReader(try reader.lengthDelimited())
            while !packed.isAtEnd { list.append(try packed.double()) }
        default: try reader.skip(wireType)
        }
    }

    /// The wire's numbers are not those of chunks.
    private static func hint(_ number: UInt64) -> CounterResetHint {
        switch number {
        case 1: .reset
        case 2: .notReset
        case 3: .gauge
        default: .unknown
        }
    }
}

extension ProtobufReader {
    mutating func double() throws(ProtobufError) -> Double { Double(bitPattern: try fixed64()) }

    /// A signed number of which the last bit is the sign: 0 −1 1 −2 2 …
    mutating func zigzag() throws(ProtobufError) -> Int64 {
        let bits = try varint()
        return Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
    }
}
