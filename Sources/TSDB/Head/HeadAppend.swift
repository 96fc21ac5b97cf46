import Histograms
import Synchronization

/// The bounds of one append: what is too old, too new, or late but welcome.
struct AppendBounds {
    /// In-order samples lie at or behind this.
    var minValidTime = Int64.min
    /// Nothing may lie behind this (ten minutes ahead of the clock).
    var maxTime = Int64.max
    /// How far behind the head's newest sample a late one may lie; 0: late samples are refused.
    var outOfOrderWindow: Int64 = 0
}

/// What was stored of a batch that was not stored whole: what the log gets.
struct StoredColumns: ~Copyable {
    var references: [SeriesRef] = []
    var timestamps: [Int64] = []
    var values: [Double] = []
    /// Those that are histograms, which are not in the columns.
    var histograms: [WALHistogram] = []
    /// Start times that changed with the batch, whether it was stored whole or not.
    var starts: [WALStart] = []

    /// Takes the samples of `batch` that `report` says were stored.
    mutating func take(_ report: AppendReport, of batch: borrowing SampleBatch) {
        references.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        histograms.removeAll()
        for index in 0..<batch.count where report[index] == .stored {
            if !batch.histograms.isEmpty, let sample = batch.histograms[index] {
                histograms.append(WALHistogram(batch.references[index], batch.timestamps[index], sample))
                continue
            }
            references.append(batch.references[index])
            timestamps.append(batch.timestamps[index])
            values.append(batch.values[index])
        }
    }
}

extension Head {
    /// Appends a batch under one hold of the lock, so that a query sees all of it or nothing. `news` becomes what it says about start times
    /// that was not known.
    func append(_ batch: borrowing SampleBatch, bounds: AppendBounds, news: inout [WALStart]) -> AppendReport {
        let count = batch.count
        var verdicts: [AppendVerdict] = []
        var storedCount = 0
        let references = batch.references, timestamps = batch.timestamps, values = batch.values
        // Taken apart before the lock is taken. Nearly always there are none.
        let histograms = batch.histograms.isEmpty ? nil : batch.histograms.mapValues { HistogramFields($0) }
        let halfRange = options.blockRange.milliseconds / 2
        let takesLateSamples = batch.takesLateSamples
        let starts = batch.starts
        news = []
        store.withLock { store in
            let newestBefore = store.maxTime
            var bounds = bounds
            if !takesLateSamples { bounds.outOfOrderWindow = 0 }
            if newestBefore != .min {
                bounds.minValidTime = max(bounds.minValidTime, newestBefore.clampedSubtracting(halfRange))
            }
            var low = store.minTime, high = store.maxTime
            references.withUnsafeBufferPointer { references in
                for index in 0..<count {
                    let time = timestamps[index], value = values[index].bitPattern
                    var verdict = AppendVerdict.stored
                    if let place = store.find(references[index]) {
                        if let histograms, let fields = histograms[index] {
                            verdict = store.append(
                                place, references[index].slot, time, fields, bounds, newest: newestBefore)
                        } else {
                            verdict = Head.judge(
                                place, time, bounds, newest: newestBefore,
                                isNewest: place.pointee.appender.value == value
                                    && (!place.pointee.endsInHistogram || value == StaleMarker.bits))
                            if verdict == .stored {
                                if time > place.pointee.newest {
                                    store.append(place, references[index].slot, time, value)
                                } else {
                                    verdict = store.insertLate(place, references[index].slot, time, value)
                                }
                            }
                        }
                    } else {
                        verdict = .unknownSeries
                    }
                    if verdict == .stored {
                        storedCount &+= 1
                        low = min(low, time)
                        high = max(high, time)
                        if !verdicts.isEmpty { verdicts.append(.stored) }
                    } else {
                        if verdicts.isEmpty {
                            verdicts.reserveCapacity(count)
                            verdicts.append(contentsOf: repeatElement(.stored, count: index))
                        }
                        verdicts.append(verdict)
                    }
                }
            }
            store.minTime = low
            store.maxTime = high
            if options.storesStarts { news = store.noteStarts(references, timestamps, values, starts, verdicts) }
        }
        return AppendReport(verdicts: verdicts, storedCount: storedCount)
    }

    /// Upstream's rules, in its order (`tsdb/head_append.go`, `appendable`).
    @inline(__always)
    fileprivate static func judge(
        _ place: UnsafeMutablePointer<MemSeries>, _ time: Int64, _ bounds: AppendBounds, newest: Int64,
        isNewest: @autoclosure () -> Bool
    ) -> AppendVerdict {
        if time > bounds.maxTime { return .tooFarAhead }
        if time >= bounds.minValidTime && time != .min {
            if time > place.pointee.newest { return .stored }
            if time == place.pointee.newest { return isNewest() ? .repeated : .duplicate }
        }
        if bounds.outOfOrderWindow > 0 {
            return newest == .min || time >= newest.clampedSubtracting(bounds.outOfOrderWindow) ? .stored : .tooOld
        }
        return time < bounds.minValidTime || time == .min ? .outOfBounds : .outOfOrder
    }
}

extension SeriesStore {
    /// Puts a sample behind newer ones beside the chunks.
    mutating func insertLate(
        _ place: UnsafeMutablePointer<MemSeries>, _ slot: UInt32, _ time: Int64, _ value: UInt64,
        _ histogram: HistogramFields? = nil
    ) -> AppendVerdict {
        let verdict = outOfOrder[slot, default: OutOfOrderSamples()].insert(time, value, histogram)
        if verdict == .stored {
            place.pointee.hasOutOfOrder = true
            place.pointee.oldest = min(place.pointee.oldest, time)
            sampleCount &+= 1
        }
        return verdict
    }

    /// Judges a histogram and puts it where it belongs. `fields` are `nil` where its parts do not agree, which callers see to before.
    fileprivate mutating func append(
        _ place: UnsafeMutablePointer<MemSeries>, _ slot: UInt32, _ time: Int64, _ fields: HistogramFields?,
        _ bounds: AppendBounds, newest: Int64
    ) -> AppendVerdict {
        guard let fields else { return .outOfBounds }
        let isNewest = time == place.pointee.newest && self.isNewest(fields, of: place, slot)
        let verdict = Head.judge(place, time, bounds, newest: newest, isNewest: isNewest)
        guard verdict == .stored else { return verdict }
        guard time > place.pointee.newest else { return insertLate(place, slot, time, fields.sum, fields) }
        append(place, slot, time, fields)
        return .stored
    }
}
