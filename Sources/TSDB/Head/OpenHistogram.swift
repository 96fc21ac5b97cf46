import Histograms

/// The chunk of native histograms that a series is writing: beside the series, which stay small and plain.
///
///     histograms[slot] ─▶ OpenHistogram ─▶ HistogramEncoder ─ full, reset, other layout ─▶ closed chunk of the series
///
/// Touched under the store's lock. Queries note its bytes (`HistogramChunkBytes`), an array that later appends leave alone.
final class OpenHistogram {
    var encoder: HistogramEncoder

    init(_ encoder: HistogramEncoder) { self.encoder = encoder }
}

extension HistogramEncoder {
    /// Bytes from which on a chunk is full, and samples that it has to have then. Upstream's numbers.
    static let targetSize = 1024
    static let fewestSamples = 10

    var isFull: Bool {
        count >= SeriesStore.samplesPerChunk || size >= Self.targetSize && count >= Self.fewestSamples
    }
}

extension HistogramChunkBytes {
    var encoding: ClosedChunk.Encoding { isFloat ? .floatHistogram : .histogram }
}

extension SeriesStore {
    /// Appends a histogram newer than all samples of the series.
    mutating func append(
        _ place: UnsafeMutablePointer<MemSeries>, _ slot: UInt32, _ time: Int64, _ fields: HistogramFields
    ) {
        var header = fields.hint == .gauge || fields.hint == .reset ? fields.hint : CounterResetHint.unknown
        if place.pointee.endsInHistogram, let open = histograms[slot] {
            if open.encoder.isFloat != fields.isFloat {
                closeHistogram(place, slot)
            } else if open.encoder.isFull {
                header = open.encoder.header(following: fields)
                closeHistogram(place, slot)
            } else if let next = open.encoder.append(fields, at: time) {
                header = next
                closeHistogram(place, slot)
            } else {
                return appended(place, time, fields.sum)
            }
        } else if place.pointee.appender.count > 0 {
            closeChunk(place)
        }
        histograms[slot] = OpenHistogram(HistogramEncoder(fields, at: time, header: header))
        place.pointee.endsInHistogram = true
        place.pointee.openStart = time
        if place.pointee.oldest == .max { place.pointee.oldest = time }
        chunkCount &+= 1
        appended(place, time, fields.sum)
    }

    private mutating func appended(_ place: UnsafeMutablePointer<MemSeries>, _ time: Int64, _ sum: UInt64) {
        place.pointee.newest = time
        place.pointee.appender.value = sum
        sampleCount &+= 1
    }

    /// A float's stale marker behind histograms is one of theirs: a chunk of its own would say no more.
    mutating func appendStaleHistogram(_ place: UnsafeMutablePointer<MemSeries>, _ slot: UInt32, _ time: Int64) {
        guard let open = histograms[slot] else { return }
        append(place, slot, time, HistogramFields(staleMarkerOf: open.encoder.isFloat))
    }

    /// Ends the open chunk of histograms. Its bytes stay as they are.
    mutating func closeHistogram(_ place: UnsafeMutablePointer<MemSeries>, _ slot: UInt32) {
        place.pointee.endsInHistogram = false
        guard let open = histograms.removeValue(forKey: slot) else { return }
        let chunk = open.encoder.chunk
        let block = arena.allocate(chunk.size)
        chunk.buffer.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress { block.copyMemory(from: source, byteCount: chunk.size) }
        }
        addClosed(
            place,
            ClosedChunk(
                minTime: place.pointee.openStart, maxTime: place.pointee.newest, bytes: block, size: UInt32(chunk.size),
                count: UInt16(truncatingIfNeeded: chunk.count), encoding: chunk.encoding))
    }

    /// Whether the newest sample of a series is this histogram.
    func isNewest(_ fields: HistogramFields, of place: UnsafeMutablePointer<MemSeries>, _ slot: UInt32) -> Bool {
        guard place.pointee.endsInHistogram, let open = histograms[slot] else {
            return fields.isStale && place.pointee.appender.value == StaleMarker.bits
        }
        return fields.isStale && open.encoder.isStale || open.encoder.last.isEqual(fields)
    }

    /// Puts the open chunk of a checkpoint back; it is newer than all samples of the series.
    mutating func restoreOpen(
        _ place: UnsafeMutablePointer<MemSeries>, _ slot: UInt32, _ encoder: HistogramEncoder, from minTime: Int64
    ) {
        closeOpen(place, slot)
        histograms[slot] = OpenHistogram(encoder)
        place.pointee.endsInHistogram = true
        place.pointee.openStart = minTime
        if place.pointee.oldest == .max { place.pointee.oldest = minTime }
        place.pointee.newest = encoder.timestamp
        place.pointee.appender.value = encoder.sum.value
        chunkCount &+= 1
        sampleCount &+= encoder.count
        self.minTime = min(self.minTime, minTime)
        maxTime = max(maxTime, encoder.timestamp)
    }

    /// Ends whatever chunk is open.
    mutating func closeOpen(_ place: UnsafeMutablePointer<MemSeries>, _ slot: UInt32) {
        if place.pointee.endsInHistogram { closeHistogram(place, slot) }
        if place.pointee.appender.count > 0 { closeChunk(place) }
    }
}
