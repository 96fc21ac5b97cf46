/// Reads batch records: bytes in, three columns out, a few ns per sample.
///
/// A body is read in two steps: the columns of runs are spread into arrays and every length is checked; then one pass
/// over the samples does the arithmetic. Nothing of the state changes before the whole body has been found sound.
struct BatchDecoder: ~Copyable {
    private var epoch: UInt64?
    private var table = LinkTable()
    private var links = ScratchColumn<UInt32>()
    private var referenceColumn = ScratchColumn<UInt64>()
    private var timestampColumn = ScratchColumn<Int64>()
    private var valueColumn = ScratchColumn<Double>()

    /// Readable samples of the last body, in the record's order.
    private(set) var count = 0
    /// Samples of the last body that cannot be read because a record before it was lost.
    private(set) var lostCount = 0

    /// The columns of the last body, `count` elements each; valid until the next one.
    var references: UnsafePointer<SeriesRef> { SeriesRef.column(referenceColumn.pointer) }
    var timestamps: UnsafePointer<Int64> { UnsafePointer(timestampColumn.pointer) }
    var values: UnsafePointer<Double> { UnsafePointer(valueColumn.pointer) }

    /// Reads one body. Throws `.corruption` where it is no batch record; then nothing has changed, and there are no samples.
    mutating func decode(_ body: UnsafeRawBufferPointer) throws(TSDBError) {
        count = 0
        lostCount = 0
        var cursor = ByteCursor(body)
        let flags = try cursor.takeByte()
        guard flags & ~BatchRecord.timestampsPerSample == 0 else {
            throw TSDBError(.corruption, "batch record with unknown flags \(flags)", offset: 0)
        }
        let epoch = try cursor.takeVarint()
        // Two samples take at least a byte, their tags; so a damaged count cannot ask for much.
        let samples = try cursor.takeCount(atMost: cursor.remaining * 2)
        reserve(samples)
        let highest = try readSlots(&cursor, samples)
        try readGenerations(&cursor, samples)
        try readLinks(&cursor, samples)
        try readTimestamps(&cursor, samples, perSample: flags & BatchRecord.timestampsPerSample != 0)
        let tags = try cursor.takeBytes((samples + 1) / 2)
        let payload = try cursor.takeBytes(cursor.remaining)
        guard payload.count == Self.payloadLength(tags), samples & 1 == 0 || tags[samples >> 1] < 16 else {
            throw TSDBError(.corruption, "tags ask for another payload than there is", offset: cursor.position)
        }

        if self.epoch != epoch {
            table.removeAll()
            self.epoch = epoch
        }
        table.reserve(highest)
        readValues(samples, tags, payload)
    }

    private mutating func reserve(_ samples: Int) {
        links.reserve(samples)
        referenceColumn.reserve(samples)
        timestampColumn.reserve(samples)
        valueColumn.reserve(samples)
    }

    /// An odd number of samples leaves half a byte of zeros; tag 0 has no payload.
    private static func payloadLength(_ tags: UnsafeRawBufferPointer) -> Int {
        var length = 0
        for byte in tags { length &+= ValueTag.length(Int(byte & 15)) &+ ValueTag.length(Int(byte >> 4)) }
        return length
    }

    // MARK: Columns

    /// Returns the highest slot.
    private func readSlots(_ cursor: inout ByteCursor, _ samples: Int) throws(TSDBError) -> Int {
        let references = referenceColumn.pointer
        var filled = 0
        var expected: Int64 = 0
        var highest: Int64 = 0
        while filled < samples {
            let code = try cursor.takeVarint()
            let length = code & 1 == 0 ? 1 : try cursor.takeCount(atMost: samples) + 2
            let first = expected &+ ValueTag.unzigzag(code >> 1)
            guard length <= samples - filled, first >= 0, first <= Int64(BatchRecord.slotLimit) - Int64(length) else {
                throw TSDBError(.corruption, "run of \(length) slots from \(first) on", offset: cursor.position)
            }
            expected = first &+ Int64(length)
            highest = max(highest, expected &- 1)
            let shift = first &- Int64(filled)
            for index in filled..<(filled &+ length) { references[index] = UInt64(bitPattern: shift &+ Int64(index)) }
            filled &+= length
        }
        return Int(highest)
    }

    private func readGenerations(_ cursor: inout ByteCursor, _ samples: Int) throws(TSDBError) {
        let references = referenceColumn.pointer
        var filled = 0
        while filled < samples {
            let generation = UInt64(try cursor.takeCount(atMost: Int(UInt32.max)))
            let end = try runEnd(&cursor, filled, samples)
            if generation != 0 {
                for index in filled..<end { references[index] |= generation << 32 }
            }
            filled = end
        }
    }

    private func readLinks(_ cursor: inout ByteCursor, _ samples: Int) throws(TSDBError) {
        var filled = 0
        while filled < samples {
            let link = UInt32(truncatingIfNeeded: try cursor.takeCount(atMost: Int(UInt32.max)))
            let end = try runEnd(&cursor, filled, samples)
            for index in filled..<end { links.pointer[index] = link }
            filled = end
        }
    }

    private func readTimestamps(_ cursor: inout ByteCursor, _ samples: Int, perSample: Bool) throws(TSDBError) {
        let timestamps = timestampColumn.pointer
        var filled = 0
        var time: Int64 = 0
        while filled < samples {
            time &+= try cursor.takeSignedVarint()
            let end = perSample ? filled &+ 1 : try runEnd(&cursor, filled, samples)
            for index in filled..<end { timestamps[index] = time }
            filled = end
        }
    }

    /// Reads a run's length − 1.
    @inline(__always)
    private func runEnd(_ cursor: inout ByteCursor, _ start: Int, _ samples: Int) throws(TSDBError) -> Int {
        start &+ 1 &+ (try cursor.takeCount(atMost: samples &- start &- 1))
    }

    // MARK: Values

    /// One pass over checked columns: looks up each predecessor, adds the difference, keeps what is readable.
    private mutating func readValues(_ samples: Int, _ tags: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) {
        let references = referenceColumn.pointer, timestamps = timestampColumn.pointer
        let values = valueColumn.pointer, links = links.pointer, entries = table.entries
        var kept = 0
        var at = 0
        for index in 0..<samples {
            let tag = Int(tags[index >> 1] >> UInt8(truncatingIfNeeded: (index & 1) &* 4)) & 15
            let length = ValueTag.length(tag)
            let bits = Self.load(payload, at, length)
            at &+= length

            let reference = references[index]
            let generation = UInt32(truncatingIfNeeded: reference >> 32)
            let entry = entries + Int(truncatingIfNeeded: reference & 0xffff_ffff)
            let link = links[index]
            let isKey = link % BatchRecord.keyInterval == 0
            guard isKey || (entry.pointee.next == link && entry.pointee.generation == generation) else { continue }
            let value = Self.value(tag, bits, after: isKey ? 0 : entry.pointee.value)
            entry.pointee = LinkTable.Entry(value: value, next: link &+ 1, generation: generation)
            references[kept] = reference
            timestamps[kept] = timestamps[index]
            values[kept] = value
            kept &+= 1
        }
        count = kept
        lostCount = samples - kept
    }

    @inline(__always)
    private static func value(_ tag: Int, _ bits: UInt64, after before: Double) -> Double {
        if tag == 0 { return before }
        let difference = ValueTag.unzigzag(bits)
        if tag >= ValueTag.firstBitPattern { return Double(bitPattern: before.bitPattern &+ UInt64(bitPattern: difference)) }
        if tag < ValueTag.firstDecimal { return Double(ValueTag.rounded(before) &+ difference) }
        let scale = ValueTag.scale(tag)
        return Double(ValueTag.rounded(before * scale) &+ difference) / scale
    }

    /// `length` (0…8) little-endian bytes at `at`; the payload's total length has been checked.
    @inline(__always)
    private static func load(_ payload: UnsafeRawBufferPointer, _ at: Int, _ length: Int) -> UInt64 {
        if payload.count &- at >= 8 {
            let word = UInt64(littleEndian: payload.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            return length == 8 ? word : word & ((1 << UInt64(truncatingIfNeeded: length &* 8)) &- 1)
        }
        var word: UInt64 = 0
        for index in 0..<length { word |= UInt64(payload[at &+ index]) << UInt64(truncatingIfNeeded: index &* 8) }
        return word
    }
}
