/// One series' samples in the head: closed chunks, and the chunk that is still open. Plain bytes in a `PagedArray`; no object, no
/// reference count, about 100 bytes.
///
///     closed ─▶ ┌ minTime maxTime bytes size ┬ … ┐     decimal blocks, histogram chunks
///     open   ─▶ XOR bits, growing                      state in `appender`
///
/// A series whose newest sample is a native histogram has its open chunk in the store's `histograms` instead, and none here.
struct MemSeries: BitwiseCopyable {
    var appender = XORAppender()
    var open = OpenChunk()
    var closed: UnsafeMutablePointer<ClosedChunk>?
    var closedCount: UInt32 = 0
    var closedCapacity: UInt32 = 0
    /// Samples at which the open chunk is closed.
    var closeAt: UInt8 = UInt8(SeriesStore.samplesPerChunk)
    var generation: UInt32 = 1
    /// Time of the first sample of the open chunk.
    var openStart: Int64 = 0
    /// Time of the oldest sample held, `.max` where there is none.
    var oldest: Int64 = .max
    /// Time of the newest in-order sample, `.min` where there is none. Its value is `appender.value`.
    var newest: Int64 = .min
    var hasOutOfOrder = false
    /// The newest in-order sample is a histogram: the open chunk is one of histograms, `appender` is empty but for the sum as its value.
    var endsInHistogram = false
    /// A truncation has found it without a sample. Its first may be on its way: who makes a series appends to it a moment later.
    var isAwaited = false
}

extension MemSeries {
    /// Neither chunks nor a newest sample at or behind `time`.
    func isVacant(before time: Int64) -> Bool { closedCount == 0 && newest < time && !hasOutOfOrder }

    var hasOpenChunk: Bool { appender.count > 0 || endsInHistogram }
}

/// A finished chunk and what it covers.
struct ClosedChunk: BitwiseCopyable {
    /// What its bytes are. Raw values of histograms are Prometheus' chunk encodings.
    enum Encoding: UInt8, BitwiseCopyable {
        case decimalBlock = 0
        case histogram = 2
        case floatHistogram = 3
    }

    var minTime: Int64
    var maxTime: Int64
    var bytes: UnsafeMutableRawPointer
    var size: UInt32
    var count: UInt16
    var encoding: Encoding

    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: Int(size)) }

    /// Appends the samples with `from <= t <= through` to `columns`, or all of them: the whole is trimmed afterwards.
    @inline(__always)
    func decode(from: Int64 = .min, through: Int64 = .max, into columns: inout SampleColumns) throws(TSDBError) {
        if encoding == .decimalBlock { return try DecimalBlock.decode(buffer, into: &columns) }
        try HistogramChunk.decode(buffer, isFloat: encoding == .floatHistogram, from: from, through: through, into: &columns)
    }
}

/// All samples of the head, behind one lock that is held for a batch or for the blink of a snapshot, never while a chunk is
/// read.
struct SeriesStore: ~Copyable {
    /// Samples per chunk. 120 is Prometheus' default; 240 would save 10 % of bytes and cost open chunks twice the memory.
    static let samplesPerChunk = 120
    /// An open chunk is closed early at this size: random doubles would need 2 kB.
    static let openLimit = 1024

    var series = PagedArray<MemSeries>()
    var arena = Arena()
    var epochs = ReadEpochs()
    /// Samples that came behind newer ones, by slot. Few, or none.
    var outOfOrder: [UInt32: OutOfOrderSamples] = [:]
    /// Open chunks of native histograms, by slot: few series have such, and all others must not be larger for it.
    var histograms: [UInt32: OpenHistogram] = [:]
    /// When series began to count; empty unless the feature is on.
    var starts = StartTable()

    var minTime = Int64.max
    var maxTime = Int64.min
    var chunkCount = 0
    var sampleCount = 0
    var closedBytes = 0

    private var encoder = DecimalBlockEncoder(capacity: SeriesStore.samplesPerChunk)
    private var columns = SampleColumns(capacity: SeriesStore.samplesPerChunk)
    /// A chunk to be closed, in one piece.
    private let openCopy = UnsafeMutableRawPointer.allocate(
        byteCount: SeriesStore.openLimit + XORChunk.maximumSampleSize + BitReader.spare + 16, alignment: 16)

    init() {}

    deinit { openCopy.deallocate() }

    /// Makes the place of a new series; slots come in the index's order, a used one starts afresh.
    mutating func prepare(_ reference: SeriesRef) {
        while series.count <= Int(reference.slot) { _ = series.append(MemSeries()) }
        var fresh = MemSeries(generation: reference.generation)
        // Series that start together would close their chunks together for ever: first chunks differ in length.
        fresh.closeAt = UInt8(Self.samplesPerChunk / 2 + Int(reference.slot &* 37 % UInt32(Self.samplesPerChunk / 2)) + 1)
        series[Int(reference.slot)].pointee = fresh
    }

    /// The series a reference names.
    @inline(__always)
    func find(_ reference: SeriesRef) -> UnsafeMutablePointer<MemSeries>? {
        let slot = Int(reference.slot)
        guard slot < series.count else { return nil }
        let place = series[slot]
        return place.pointee.generation == reference.generation ? place : nil
    }

    /// Appends a sample newer than all of the series.
    @inline(__always)
    mutating func append(_ place: UnsafeMutablePointer<MemSeries>, _ slot: UInt32, _ time: Int64, _ value: UInt64) {
        if place.pointee.appender.count == 0 {
            if place.pointee.endsInHistogram {
                if value == StaleMarker.bits { return appendStaleHistogram(place, slot, time) }
                closeHistogram(place, slot)
            }
            place.pointee.openStart = time
            if place.pointee.oldest == .max { place.pointee.oldest = time }
            chunkCount &+= 1
        }
        place.pointee.open.append(time, value, &place.pointee.appender, arena: &arena)
        place.pointee.newest = time
        sampleCount &+= 1
        if place.pointee.appender.count >= UInt16(place.pointee.closeAt)
            || place.pointee.appender.bitCount > Self.openLimit * 8
        {
            closeChunk(place)
        }
    }

    /// Re-encodes the open chunk as a decimal block and starts a new one.
    mutating func closeChunk(_ place: UnsafeMutablePointer<MemSeries>) {
        guard let last = place.pointee.open.last else { return }
        columns.removeAll()
        let size = place.pointee.appender.byteCount
        OpenChunk.copy(last, Int(place.pointee.open.lastStart), size, to: openCopy)
        do throws(TSDBError) {
            XORChunk.writeHeader(place.pointee.appender.count, to: openCopy)
            try XORChunk.decode(UnsafeRawBufferPointer(start: openCopy, count: size), into: &columns)
        } catch {
            // Written by `XORAppender` in this process: a failure here is a bug in the coder, not an input.
            preconditionFailure("open chunk does not decode: \(error)")
        }
        encoder.encode(columns.timestamps, columns.values, count: columns.count)
        let blockSize = encoder.bytes.count
        let block = arena.allocate(blockSize)
        encoder.bytes.withUnsafeBytes { block.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: blockSize) }
        addClosed(
            place,
            ClosedChunk(
                minTime: columns.timestamps[0], maxTime: columns.timestamps[columns.count - 1], bytes: block,
                size: UInt32(blockSize), count: UInt16(columns.count), encoding: .decimalBlock))
        place.pointee.open.retire(&epochs, &arena)
        place.pointee.closeAt = UInt8(Self.samplesPerChunk)
        resetAppender(place)
    }

    private func resetAppender(_ place: UnsafeMutablePointer<MemSeries>) {
        place.pointee.appender.count = 0
        place.pointee.appender.bitCount = 0
        place.pointee.appender.leading = 0xff
        place.pointee.appender.trailing = 0
        place.pointee.appender.partial = 0
        place.pointee.appender.delta = 0
    }

    /// Puts a closed chunk behind the others.
    mutating func addClosed(_ place: UnsafeMutablePointer<MemSeries>, _ chunk: ClosedChunk) {
        if place.pointee.closedCount == place.pointee.closedCapacity {
            let capacity = max(2, Int(place.pointee.closedCapacity) * 2)
            let stride = MemoryLayout<ClosedChunk>.stride
            let block = arena.allocate(capacity * stride)
            let list = block.bindMemory(to: ClosedChunk.self, capacity: capacity)
            if let old = place.pointee.closed {
                list.update(from: old, count: Int(place.pointee.closedCount))
                epochs.retire(UnsafeMutableRawPointer(old), Int(place.pointee.closedCapacity) * stride, to: &arena)
            }
            place.pointee.closed = list
            place.pointee.closedCapacity = UInt32(capacity)
        }
        guard let closed = place.pointee.closed else { return }
        closed[Int(place.pointee.closedCount)] = chunk
        place.pointee.closedCount &+= 1
        closedBytes &+= Int(chunk.size)
        if place.pointee.oldest == .max { place.pointee.oldest = chunk.minTime }
    }

    /// Puts a closed chunk of a checkpoint behind the others; it is newer than all samples of the series.
    mutating func restore(
        _ place: UnsafeMutablePointer<MemSeries>, _ times: ClosedRange<Int64>, count: UInt16, encoding: ClosedChunk.Encoding,
        copying bytes: UnsafeRawBufferPointer
    ) {
        guard let source = bytes.baseAddress else { return }
        let block = arena.allocate(bytes.count)
        block.copyMemory(from: source, byteCount: bytes.count)
        addClosed(
            place,
            ClosedChunk(
                minTime: times.lowerBound, maxTime: times.upperBound, bytes: block, size: UInt32(bytes.count),
                count: count, encoding: encoding))
        place.pointee.newest = max(place.pointee.newest, times.upperBound)
        chunkCount &+= 1
        sampleCount &+= Int(count)
        minTime = min(minTime, times.lowerBound)
        maxTime = max(maxTime, times.upperBound)
    }

    /// Drops closed chunks that end before `time`. Returns whether the series is to go: it holds nothing any more, and was not made
    /// since the last truncation.
    mutating func truncate(_ slot: UInt32, before time: Int64) -> Bool {
        let place = series[Int(slot)]
        if place.pointee.closedCount > 0, let closed = place.pointee.closed {
            var dropped = 0
            while dropped < Int(place.pointee.closedCount) && closed[dropped].maxTime < time {
                sampleCount &-= Int(closed[dropped].count)
                closedBytes &-= Int(closed[dropped].size)
                chunkCount &-= 1
                epochs.retire(closed[dropped].bytes, Int(closed[dropped].size), to: &arena)
                dropped += 1
            }
            if dropped > 0 {
                // The list is copied, never shifted in place: readers may be walking it.
                let stride = MemoryLayout<ClosedChunk>.stride
                let rest = Int(place.pointee.closedCount) - dropped
                let capacity = max(2, rest)
                let block = arena.allocate(capacity * stride)
                let list = block.bindMemory(to: ClosedChunk.self, capacity: capacity)
                list.update(from: closed + dropped, count: rest)
                epochs.retire(UnsafeMutableRawPointer(closed), Int(place.pointee.closedCapacity) * stride, to: &arena)
                place.pointee.closed = list
                place.pointee.closedCapacity = UInt32(capacity)
                place.pointee.closedCount = UInt32(rest)
                place.pointee.oldest =
                    rest > 0 ? list[0].minTime : place.pointee.hasOpenChunk ? place.pointee.openStart : .max
            }
        }
        if place.pointee.hasOutOfOrder {
            if outOfOrder[slot]?.truncate(before: time) ?? true {
                outOfOrder[slot] = nil
                place.pointee.hasOutOfOrder = false
            }
        }
        if !starts.isEmpty { starts.truncate(slot, before: min(time, place.pointee.oldest)) }
        guard place.pointee.isVacant(before: time) else { return false }
        guard place.pointee.newest == .min && !place.pointee.isAwaited else { return true }
        place.pointee.isAwaited = true
        return false
    }

    /// Gives back what a series holds; its reference names nothing afterwards.
    mutating func drop(_ slot: UInt32) {
        let place = series[Int(slot)]
        place.pointee.open.retire(&epochs, &arena)
        if place.pointee.appender.count > 0 {
            sampleCount &-= Int(place.pointee.appender.count)
            chunkCount &-= 1
        }
        if let closed = place.pointee.closed {
            for index in 0..<Int(place.pointee.closedCount) {
                sampleCount &-= Int(closed[index].count)
                closedBytes &-= Int(closed[index].size)
                chunkCount &-= 1
                epochs.retire(closed[index].bytes, Int(closed[index].size), to: &arena)
            }
            epochs.retire(
                UnsafeMutableRawPointer(closed),
                Int(place.pointee.closedCapacity) * MemoryLayout<ClosedChunk>.stride, to: &arena)
        }
        outOfOrder[slot] = nil
        if !starts.isEmpty { starts.remove(slot) }
        if place.pointee.endsInHistogram, let histogram = histograms.removeValue(forKey: slot) {
            sampleCount &-= histogram.encoder.count
            chunkCount &-= 1
        }
        place.pointee = MemSeries(generation: place.pointee.generation &+ 1)
    }

    mutating func leave(_ epoch: ReadEpochs.Epoch) { epochs.leave(epoch, releasingTo: &arena) }
}
