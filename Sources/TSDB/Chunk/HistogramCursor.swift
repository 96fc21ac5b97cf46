import Histograms

/// Reads a histogram chunk sample by sample; its state after each one is what the writer's was.
///
/// `BitReader.spare` bytes behind the chunk must be readable, and the bytes outlast the cursor. Damage is thrown as `.corruption`; lengths
/// that it claims are held against the chunk's own before they ask for memory.
struct HistogramCursor {
    let isFloat: Bool
    let header: CounterResetHint
    let layout: HistogramRows.Layout
    /// Samples in the chunk, and those read.
    let total: Int
    private(set) var count = 0
    private(set) var timestamp: Int64 = 0
    private(set) var timeDelta: Int64 = 0
    private(set) var observations = HistogramField()
    private(set) var zeroCount = HistogramField()
    private(set) var sum = HistogramField()
    /// Positive ones first.
    private(set) var buckets: [HistogramField]
    private let base: UnsafeRawPointer
    private let end: Int
    private var reader: BitReader

    init(_ bytes: UnsafeRawBufferPointer, isFloat: Bool) throws(TSDBError) {
        guard bytes.count > HistogramChunk.headerSize, let base = bytes.baseAddress else {
            throw TSDBError(.corruption, "histogram chunk of \(bytes.count) bytes has no layout")
        }
        self.isFloat = isFloat
        self.base = base
        end = bytes.count * 8
        total = Int(UInt16(bigEndian: base.loadUnaligned(as: UInt16.self)))
        header = CounterResetHint(headerBits: bytes[HistogramChunk.flagPosition])
        var reader = BitReader(base + HistogramChunk.headerSize)
        layout = try HistogramRows.Layout.read(&reader, base, end: end)
        buckets = [HistogramField](repeating: HistogramField(), count: layout.bucketCount)
        self.reader = reader
    }

    /// Bits read, the header's included.
    var consumedBits: Int { reader.consumed(from: base) }

    var isStale: Bool { sum.value == StaleMarker.bits }

    /// As upstream tells queries: nothing can be said of a chunk's first sample, for the chunk before may be gone.
    var hint: CounterResetHint {
        if isStale { return .unknown }
        return header == .gauge ? .gauge : count > 1 ? .notReset : .unknown
    }

    /// The sample, with the hint that would make a writer do the same again.
    var fields: HistogramFields {
        HistogramFields(
            isFloat: isFloat, hint: count > 1 && header != .gauge ? .notReset : header, layout,
            count: observations.value, zeroCount: zeroCount.value, sum: sum.value, buckets: buckets)
    }

    /// Moves on to the next sample; `false` behind the last one.
    mutating func next() throws(TSDBError) -> Bool {
        guard count < total else { return false }
        var reader = self.reader
        let isFirst = count == 0
        let wasStale = isStale
        if isFirst {
            timestamp = reader.takeVarbit()
        } else {
            timeDelta = timeDelta &+ reader.takeVarbit()
            timestamp = timestamp &+ timeDelta
        }
        try check(reader)
        // Two fields run over the end by less than there is to spare.
        if isFloat {
            try Self.nextValue(&observations, isFirst, &reader)
            try Self.nextValue(&zeroCount, isFirst, &reader)
            try check(reader)
            try Self.nextValue(&sum, isFirst, &reader)
        } else if isFirst {
            observations.value = reader.takeUnsignedVarbit()
            zeroCount.value = reader.takeUnsignedVarbit()
            try check(reader)
            sum.value = reader.takeWide(64)
        } else {
            Self.nextChange(&observations, &reader)
            Self.nextChange(&zeroCount, &reader)
            try check(reader)
            try Self.nextValue(&sum, false, &reader)
        }
        try check(reader)
        guard isStale || !wasStale, !isStale || !isFirst || buckets.isEmpty else {
            throw TSDBError(.corruption, "histogram chunk with buckets where a stale marker allows none, sample \(count)")
        }
        if isFirst || !isStale { try nextBuckets(isFirst, &reader) }
        self.reader = reader
        count += 1
        return true
    }

    @inline(__always)
    private mutating func nextBuckets(_ isFirst: Bool, _ reader: inout BitReader) throws(TSDBError) {
        if !isFloat, !isFirst, end &- reader.consumed(from: base) >= buckets.count &* Varbit.maximumSize &* 8 {
            // Nearly always: nothing can go wrong.
            return buckets.withUnsafeMutableBufferPointer { buckets in
                var own = reader
                for place in buckets.indices { Self.nextChange(&buckets[place], &own) }
                reader = own
            }
        }
        for place in buckets.indices {
            if isFloat {
                try Self.nextValue(&buckets[place], isFirst, &reader)
            } else if isFirst {
                buckets[place].value = UInt64(bitPattern: reader.takeVarbit())
            } else {
                Self.nextChange(&buckets[place], &reader)
            }
            try check(reader)
        }
    }

    @inline(__always)
    private static func nextChange(_ field: inout HistogramField, _ reader: inout BitReader) {
        field.change = field.change &+ reader.takeVarbit()
        field.value = field.value &+ UInt64(bitPattern: field.change)
    }

    @inline(__always)
    private static func nextValue(
        _ field: inout HistogramField, _ isFirst: Bool, _ reader: inout BitReader
    ) throws(TSDBError) {
        if isFirst {
            field.value = reader.takeWide(64)
            return
        }
        guard let value = reader.takeXOR(after: field.value, &field.leading, &field.trailing) else {
            throw TSDBError(.corruption, "value window outside of its word in a histogram chunk")
        }
        field.value = value
    }

    @inline(__always)
    private func check(_ reader: BitReader) throws(TSDBError) {
        guard reader.consumed(from: base) <= end else {
            throw TSDBError(
                .corruption, "histogram chunk of \(end / 8) bytes ends inside sample \(count) of \(total)", offset: end / 8)
        }
    }

    /// Writes the buckets' absolute counts.
    func fill(_ target: UnsafeMutableBufferPointer<Double>) {
        guard target.count == buckets.count else { return }
        let middle = layout.positiveCount
        buckets.withUnsafeBufferPointer { buckets in
            if isFloat {
                for place in 0..<buckets.count { target[place] = Double(bitPattern: buckets[place].value) }
                return
            }
            var current: Int64 = 0
            for place in 0..<middle {
                current &+= Int64(bitPattern: buckets[place].value)
                target[place] = Double(current)
            }
            current = 0
            for place in middle..<buckets.count {
                current &+= Int64(bitPattern: buckets[place].value)
                target[place] = Double(current)
            }
        }
    }

    func count(of field: HistogramField) -> Double {
        isFloat ? Double(bitPattern: field.value) : Double(field.value)
    }
}

extension HistogramChunk {
    /// Appends the samples of a chunk with `from <= t <= through` to `columns`: integers become floats, beyond 2⁵³ the nearest ones, each
    /// from its exact count.
    ///
    /// `BitReader.spare` bytes behind `bytes` must be readable. Throws `.corruption` where the bits end before the samples do.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, isFloat: Bool, from: Int64 = .min, through: Int64 = .max,
        into columns: inout SampleColumns
    ) throws(TSDBError) {
        var cursor = try HistogramCursor(bytes, isFloat: isFloat)
        guard cursor.total > 0 else { return }
        var layout = columns.begin(cursor.layout)
        var isInLayout = true
        while try cursor.next() {
            if cursor.timestamp > through { return }
            if cursor.timestamp < from { continue }
            if cursor.isStale {
                // Only stale markers follow, so the layout changes once.
                if isInLayout {
                    layout = columns.begin(.empty)
                    isInLayout = false
                }
                columns.append(
                    cursor.timestamp, layout: layout, hint: .unknown, count: 0, zeroCount: 0, sum: StaleMarker.value
                ) { _ in }
                continue
            }
            if !isInLayout {
                layout = columns.begin(cursor.layout)
                isInLayout = true
            }
            columns.append(
                cursor.timestamp, layout: layout, hint: cursor.hint, count: cursor.count(of: cursor.observations),
                zeroCount: cursor.count(of: cursor.zeroCount), sum: Double(bitPattern: cursor.sum.value)
            ) { cursor.fill($0) }
        }
    }
}
