import Synchronization

/// What a query noted of one series: pointers that stay good while its epochs last, and how far to read.
struct CapturedSeries: BitwiseCopyable {
    var pairs: UnsafeMutablePointer<UInt32>
    var pairCount: UInt32
    var slot: UInt32
    /// Last segment of the open chunk.
    var open: UnsafeMutableRawPointer?
    var closed: UnsafeMutablePointer<ClosedChunk>?
    /// Bytes of the open chunk; where in it the last segment begins.
    var openBytes: UInt32
    var openLastStart: UInt16
    var openCount: UInt16
    var openStart: Int64
    var closedCount: UInt32
    var hasOutOfOrder: Bool
    /// The open chunk is one of histograms, which the set has noted beside.
    var endsInHistogram: Bool

    /// What `place` holds now; under the locks of both index and store.
    init(_ place: MemSeries, _ slot: UInt32, _ pairs: UnsafeMutablePointer<UInt32>, _ pairCount: UInt32) {
        self.pairs = pairs
        self.pairCount = pairCount
        self.slot = slot
        open = place.open.last
        closed = place.closed
        openBytes = UInt32(place.appender.byteCount)
        openLastStart = UInt16(truncatingIfNeeded: place.open.lastStart)
        openCount = place.appender.count
        openStart = place.openStart
        closedCount = place.closedCount
        hasOutOfOrder = place.hasOutOfOrder
        endsInHistogram = place.endsInHistogram
    }
}

/// The head's answer to a selection. Keeps the memory it points to from being reused until it goes.
final class HeadSeriesSet: SeriesSet, @unchecked Sendable {
    // Sendable: everything is set once, and the memory behind the pointers is only appended to while the epochs are held: what was
    // there at selection stays as it was (`OpenChunk`).

    let series: [CapturedSeries]
    let symbols: SymbolReader
    private let head: Head
    private let indexEpoch: ReadEpochs.Epoch
    private let storeEpoch: ReadEpochs.Epoch
    private let outOfOrder: [UInt32: OutOfOrderSamples]
    /// Open chunks of histograms, by slot.
    private let histograms: [UInt32: HistogramChunkBytes]
    private let starts: StartTable

    init(
        head: Head, series: [CapturedSeries], symbols: SymbolReader, indexEpoch: ReadEpochs.Epoch,
        storeEpoch: ReadEpochs.Epoch, outOfOrder: [UInt32: OutOfOrderSamples],
        histograms: [UInt32: HistogramChunkBytes], starts: StartTable
    ) {
        self.head = head
        self.series = series
        self.symbols = symbols
        self.indexEpoch = indexEpoch
        self.storeEpoch = storeEpoch
        self.outOfOrder = outOfOrder
        self.histograms = histograms
        self.starts = starts
    }

    deinit {
        let indexEpoch = indexEpoch, storeEpoch = storeEpoch
        head.index.withLock { $0.epochs.leave(indexEpoch, releasingTo: &$0.arena) }
        head.store.withLock { $0.leave(storeEpoch) }
    }

    var count: Int { series.count }

    /// The late samples of a series, as they were at selection.
    func late(ofSlot slot: UInt32) -> OutOfOrderSamples? { outOfOrder[slot] }

    /// The open chunk of histograms of a series, as it was at selection.
    func openHistograms(ofSlot slot: UInt32) -> HistogramChunkBytes? { histograms[slot] }

    /// When a series began to count, as it was known at selection.
    func starts(ofSlot slot: UInt32) -> StartRuns? { starts[slot] }

    func labels(at index: Int) -> Labels {
        let captured = series[index]
        return symbols.labels(UnsafeBufferPointer(start: captured.pairs, count: Int(captured.pairCount) * 2))
    }

    func decode(_ index: Int, from: Int64, through: Int64, into columns: inout SampleColumns) throws(TSDBError) {
        let captured = series[index]
        let start = columns.count
        prefetchSeries(after: index)
        // The open chunk holds all that is wanted: closed ones are older, and need not even be looked at.
        let isOpenEnough = (captured.openCount > 0 || captured.endsInHistogram) && captured.openStart <= from
        if !isOpenEnough, let closed = captured.closed {
            let count = Int(captured.closedCount)
            // Chunks are in time order: skip to the first that reaches into the range.
            var first = 0
            if count > 8 {
                var high = count
                while first < high {
                    let middle = (first + high) / 2
                    if closed[middle].maxTime < from { first = middle + 1 } else { high = middle }
                }
            }
            var position = first
            while position < count {
                let chunk = closed[position]
                position += 1
                if chunk.maxTime < from { continue }
                if chunk.minTime > through { break }
                let mark = columns.count
                try chunk.decode(from: from, through: through, into: &columns)
                if chunk.minTime < from || chunk.maxTime > through {
                    columns.trim(from: from, through: through, start: mark)
                }
            }
        }
        if captured.openCount > 0, captured.openStart <= through, let open = captured.open {
            let mark = columns.count
            try decodeOpen(open, captured, from: from, into: &columns)
            if columns.count > mark && columns.timestamps[columns.count - 1] > through {
                columns.trim(from: from, through: through, start: mark)
            }
        }
        if captured.endsInHistogram, captured.openStart <= through, let open = histograms[captured.slot] {
            try open.withBytes { bytes throws(TSDBError) in
                try HistogramChunk.decode(bytes, isFloat: open.isFloat, from: from, through: through, into: &columns)
            }
        }
        if captured.hasOutOfOrder, let late = outOfOrder[captured.slot] {
            late.merge(into: &columns, start: start, from: from, through: through)
        }
        if columns.readsStarts, let runs = starts[captured.slot] { columns.setStarts(from: start, runs) }
    }

    /// Appends the samples of the open chunk of floats to `columns`.
    func decodeOpen(_ index: Int, into columns: inout SampleColumns) throws(TSDBError) {
        let captured = series[index]
        if captured.openCount > 0, let open = captured.open { try decodeOpen(open, captured, from: .min, into: &columns) }
    }

    func chunkTally(_ index: Int, from: Int64, through: Int64) -> ChunkTally {
        let captured = series[index]
        var tally = ChunkTally()
        if let closed = captured.closed {
            for position in 0..<Int(captured.closedCount)
            where closed[position].maxTime >= from && closed[position].minTime <= through {
                tally.chunks += 1
                tally.bytes += Int(closed[position].size)
            }
        }
        if captured.openCount > 0, captured.openStart <= through {
            tally.chunks += 1
            tally.bytes += Int(captured.openBytes)
        }
        if captured.endsInHistogram, captured.openStart <= through, let open = histograms[captured.slot] {
            tally.chunks += 1
            tally.bytes += open.size
        }
        return tally
    }

    /// Series ahead whose memory is asked for: the newest bits first, what they lead to when they have come. A head of 62,000 series
    /// is larger than any cache, and its chunks lie anywhere: waiting for them took longer than decoding them.
    private static let reach = 8, nearReach = 4

    @inline(__always)
    private func prefetchSeries(after index: Int) {
        guard index &+ Self.reach < series.count else { return }
        if let far = series[index &+ Self.reach].open { OpenChunk.prefetchLast(far) }
        if let near = series[index &+ Self.nearReach].open { OpenChunk.prefetchRestart(near) }
    }

    /// Decodes the samples at or behind `time` of the open chunk as it was at selection. In place where one segment is
    /// enough, out of a copy otherwise. The chunk may be growing meanwhile: bits behind those that count may be anything.
    @inline(__always)
    private func decodeOpen(
        _ open: UnsafeMutableRawPointer, _ captured: CapturedSeries, from time: Int64, into columns: inout SampleColumns
    ) throws(TSDBError) {
        let lastStart = Int(captured.openLastStart), count = Int(captured.openCount)
        let (segment, offset, restart) = OpenChunk.begin(open, lastStart, at: time)
        let size = Int(captured.openBytes) &- offset
        if offset == lastStart {
            let bytes = UnsafeRawBufferPointer(start: OpenChunk.content(segment), count: size)
            return try XORChunk.decode(bytes, from: offset, restart: restart, total: count, since: time, into: &columns)
        }
        var failure: TSDBError?
        withUnsafeTemporaryAllocation(byteCount: size + BitReader.spare, alignment: 16) { copy in
            guard let target = copy.baseAddress else { return }
            OpenChunk.copy(open, lastStart, from: offset, offset &+ size, to: target)
            let bytes = UnsafeRawBufferPointer(rebasing: copy[..<size])
            do throws(TSDBError) {
                try XORChunk.decode(bytes, from: offset, restart: restart, total: count, since: time, into: &columns)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    func groups(_ grouping: Grouping) -> Groups {
        let names: [String]
        let isBy: Bool
        switch grouping {
        case .by(let list): (names, isBy) = (list, true)
        case .without(let list): (names, isBy) = (list, false)
        }
        let wanted = Set(head.index.withLock { index in names.compactMap { index.symbols.find($0) } })
        // Nearly always a handful: looking through them beats hashing.
        let few = wanted.count <= 8 ? Array(wanted) : nil
        var assignment = [UInt32](repeating: 0, count: series.count)
        // Nothing in the head has such a label.
        if isBy && wanted.isEmpty {
            return Groups(assignment: assignment, labels: series.isEmpty ? [] : [Labels()])
        }
        var table = SymbolGroups(expecting: series.count)
        var key: [UInt32] = []
        // One label is what most aggregations ask for: a linear look through the pairs beats a set.
        let single: UInt32? = wanted.count == 1 ? wanted.first : nil
        for (position, captured) in series.enumerated() {
            key.removeAll(keepingCapacity: true)
            for pair in 0..<Int(captured.pairCount) {
                let name = captured.pairs[pair * 2]
                let isNamed = single.map { $0 == name } ?? few?.contains(name) ?? wanted.contains(name)
                if isNamed == isBy {
                    key.append(name)
                    key.append(captured.pairs[pair * 2 + 1])
                    if isBy && single != nil { break }
                }
            }
            assignment[position] = table.number(of: key)
        }
        let labels = (0..<table.count).map { group -> Labels in
            var packed: [UInt8] = []
            for symbol in table.key(group) { packed.appendLabelPart(symbols.bytes(symbol)) }
            return Labels(uncheckedPacked: packed)
        }
        return Groups(assignment: assignment, labels: labels)
    }
}

/// Numbers the distinct keys it is shown, in order of appearance. A key is a run of symbol numbers.
struct SymbolGroups {
    private var symbols: [UInt32] = []
    private var bounds: [Int] = [0]
    private var hashes: [UInt64] = []
    private var slots: [UInt32]
    private var mask: Int

    init(expecting count: Int) {
        var size = 16
        while size < min(count, 1 << 16) * 2 { size *= 2 }
        slots = [UInt32](repeating: 0, count: size)
        mask = size - 1
    }

    var count: Int { hashes.count }

    func key(_ group: Int) -> ArraySlice<UInt32> { symbols[bounds[group]..<bounds[group + 1]] }

    mutating func number(of key: [UInt32]) -> UInt32 {
        let hash = key.withUnsafeBytes { Hash64.hash($0) }
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let group = Int(slots[slot]) - 1
            if hashes[group] == hash && self.key(group).elementsEqual(key) { return UInt32(group) }
            slot = (slot + 1) & mask
        }
        let group = hashes.count
        hashes.append(hash)
        symbols.append(contentsOf: key)
        bounds.append(symbols.count)
        slots[slot] = UInt32(group + 1)
        if hashes.count * 2 > mask { grow() }
        return UInt32(group)
    }

    private mutating func grow() {
        let size = (mask + 1) * 2
        slots = [UInt32](repeating: 0, count: size)
        mask = size - 1
        for (group, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(group + 1)
        }
    }
}
