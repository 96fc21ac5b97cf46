/// Writes batch records: three columns in, bytes out, 10–20 ns per sample.
///
/// The encoder's state is what a reader will know, so records must reach the log in the order they were encoded.
struct BatchEncoder: ~Copyable {
    private(set) var epoch: UInt64
    private var table = LinkTable()
    /// Of the batch at hand.
    private var tags = ScratchColumn<UInt8>()
    private var payload = ScratchColumn<UInt8>()
    private var links = ScratchColumn<UInt32>()

    init(epoch: UInt64) { self.epoch = epoch }

    /// From now on nothing refers to earlier records.
    mutating func begin(epoch: UInt64) {
        self.epoch = epoch
        table.removeAll()
    }

    /// Appends the body of a record with `count` samples to `output`. Samples of one series may follow each other.
    /// Throws `.limit` for a slot that is too high; nothing is appended then.
    mutating func encode(
        _ references: UnsafePointer<SeriesRef>, _ timestamps: UnsafePointer<Int64>, _ values: UnsafePointer<Double>,
        count: Int, to output: inout [UInt8]
    ) throws(TSDBError) {
        var highest: UInt32 = 0
        for index in 0..<count { highest = max(highest, references[index].slot) }
        guard UInt64(highest) < BatchRecord.slotLimit else {
            throw TSDBError(.limit, "series slot \(highest), the log takes slots below \(BatchRecord.slotLimit)")
        }
        table.reserve(Int(highest))

        tags.reserve(count / 2 + 1)
        payload.reserve(count * 8)
        links.reserve(count)
        let payloadCount = encodeValues(references, values, count)

        let timestampRuns = Self.countRuns(timestamps, count)
        let perSample = timestampRuns > count / 2 && count > 2
        output.append(perSample ? BatchRecord.timestampsPerSample : 0)
        output.appendVarint(epoch)
        output.appendVarint(UInt64(count))
        Self.encodeSlots(references, count, to: &output)
        Self.encodeRuns(count, to: &output, { references[$0].generation }) { output, generation in
            output.appendVarint(UInt64(generation))
        }
        let links = links.pointer
        Self.encodeRuns(count, to: &output, { links[$0] }) { output, link in output.appendVarint(UInt64(link)) }
        var previous: Int64 = 0
        if perSample {
            for index in 0..<count {
                output.appendVarint(ValueTag.zigzag(timestamps[index] &- previous))
                previous = timestamps[index]
            }
        } else {
            Self.encodeRuns(count, to: &output, { timestamps[$0] }) { output, time in
                output.appendVarint(ValueTag.zigzag(time &- previous))
                previous = time
            }
        }
        output.append(contentsOf: UnsafeBufferPointer(start: tags.pointer, count: (count + 1) / 2))
        output.append(contentsOf: UnsafeBufferPointer(start: payload.pointer, count: payloadCount))
    }

    /// Fills `tags` (two to a byte, the first in the low half), `payload` and `links`; returns the payload's length.
    private mutating func encodeValues(
        _ references: UnsafePointer<SeriesRef>, _ values: UnsafePointer<Double>, _ count: Int
    ) -> Int {
        let tags = tags.pointer, links = links.pointer, entries = table.entries
        let payload = UnsafeMutableRawPointer(payload.pointer)
        var out = 0
        var pendingTag: UInt8 = 0
        for index in 0..<count {
            let reference = references[index]
            let entry = entries + Int(reference.slot)
            let link = entry.pointee.generation == reference.generation ? entry.pointee.next : 0
            let before = link % BatchRecord.keyInterval == 0 ? 0 : entry.pointee.value
            let value = values[index]
            let (tag, bits) = Self.code(value, against: before)
            (payload + out).storeBytes(of: bits.littleEndian, as: UInt64.self)
            out &+= ValueTag.length(tag)
            if index & 1 == 0 {
                pendingTag = UInt8(truncatingIfNeeded: tag)
            } else {
                tags[index >> 1] = pendingTag | UInt8(truncatingIfNeeded: tag << 4)
            }
            links[index] = link
            entry.pointee = LinkTable.Entry(value: value, next: link &+ 1, generation: reference.generation)
        }
        if count & 1 == 1 { tags[count >> 1] = pendingTag }
        return out
    }

    /// The shortest coding of `value` by its predecessor.
    @inline(__always)
    private static func code(_ value: Double, against before: Double) -> (tag: Int, bits: UInt64) {
        if value.bitPattern == before.bitPattern { return (0, 0) }
        let whole = ValueTag.rounded(value)
        if Double(whole).bitPattern == value.bitPattern {
            let bits = ValueTag.zigzag(whole &- ValueTag.rounded(before))
            let width = 64 &- bits.leadingZeroBitCount
            return (
                width <= 8 ? 1 : width <= 16 ? 2 : width <= 24 ? 3 : width <= 40 ? 4 : patternTag(value, before),
                width <= 40 ? bits : pattern(value, before)
            )
        }
        let thousands = ValueTag.rounded(value * 1000)
        if (Double(thousands) / 1000).bitPattern == value.bitPattern {
            var scaled = thousands
            var scale = 1000.0
            var tag = 10, bytes = 2
            if scaled % 10 == 0 {
                scaled /= 10
                scale = 100
                tag = 7
                bytes = 1
                if scaled % 10 == 0 {
                    scaled /= 10
                    scale = 10
                    tag = 5
                }
            }
            let bits = ValueTag.zigzag(scaled &- ValueTag.rounded(before * scale))
            let needed = max(bytes, (71 &- bits.leadingZeroBitCount) >> 3)
            tag &+= needed &- bytes
            if needed <= (scale == 10 ? 2 : 3) { return (tag, bits) }
        }
        return (patternTag(value, before), pattern(value, before))
    }

    @inline(__always)
    private static func pattern(_ value: Double, _ before: Double) -> UInt64 {
        ValueTag.zigzag(Int64(bitPattern: value.bitPattern &- before.bitPattern))
    }

    @inline(__always)
    private static func patternTag(_ value: Double, _ before: Double) -> Int {
        ValueTag.firstBitPattern &+ max(0, ((71 &- pattern(value, before).leadingZeroBitCount) >> 3) &- 5)
    }

    // MARK: Columns of runs

    /// Slots: `zigzag(slot − expected) · 2`, plus one and a length − 2 where more than one follow each other.
    private static func encodeSlots(_ references: UnsafePointer<SeriesRef>, _ count: Int, to output: inout [UInt8]) {
        var index = 0
        var expected: Int64 = 0
        while index < count {
            let first = Int64(references[index].slot)
            var end = index &+ 1
            while end < count && Int64(references[end].slot) == first &+ Int64(end &- index) { end &+= 1 }
            let length = end &- index
            output.appendVarint(ValueTag.zigzag(first &- expected) << 1 | (length > 1 ? 1 : 0))
            if length > 1 { output.appendVarint(UInt64(length &- 2)) }
            expected = first &+ Int64(length)
            index = end
        }
    }

    /// Runs of equal elements: the element, then the run's length − 1.
    @inline(__always)
    private static func encodeRuns<Element: Equatable>(
        _ count: Int, to output: inout [UInt8], _ element: (Int) -> Element, _ write: (inout [UInt8], Element) -> Void
    ) {
        var index = 0
        while index < count {
            let first = element(index)
            var end = index &+ 1
            while end < count && element(end) == first { end &+= 1 }
            write(&output, first)
            output.appendVarint(UInt64(end &- index &- 1))
            index = end
        }
    }

    private static func countRuns(_ column: UnsafePointer<Int64>, _ count: Int) -> Int {
        var runs = count > 0 ? 1 : 0
        var index = 1
        while index < count {
            runs &+= column[index] != column[index &- 1] ? 1 : 0
            index &+= 1
        }
        return runs
    }
}
