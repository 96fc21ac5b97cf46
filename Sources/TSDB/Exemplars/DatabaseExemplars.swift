/// Exemplars in and out of the database: the ring, and the log beside it.
extension Database {
    /// Whether exemplars are stored. Asked once per page or request, before they are collected.
    public var takesExemplars: Bool { settings.withLock { $0.maxExemplars } > 0 }

    /// Stores what can be stored; each exemplar gets its verdict. What was accepted is logged when the call returns.
    public func append(exemplars: [SeriesExemplar]) throws(TSDBError) -> [ExemplarVerdict] {
        if exemplars.isEmpty { return [] }
        let (isEnabled, window) = settings.withLock { ($0.maxExemplars > 0, $0.outOfOrderWindow.milliseconds) }
        guard isEnabled else { return Array(repeating: .disabled, count: exemplars.count) }
        if let wal, !wal.hasRoom {
            throw TSDBError(
                .limit,
                "\(wal.options.queueLimit) bytes wait for the log in \(wal.directory): the disk does not take them")
        }
        let labels = head.labels(of: exemplars.map(\.reference))
        var position: WALPosition?
        var verdicts: [ExemplarVerdict] = []
        // The writer's lock: a checkpoint sees what is in the ring and what is in the log at the same moment.
        try writer.withLock { _ throws(TSDBError) in
            var stored: [SeriesExemplar] = []
            self.exemplars.withLock { ring in
                for (index, item) in exemplars.enumerated() {
                    guard let labels = labels[index] else {
                        verdicts.append(.unknownSeries)
                        continue
                    }
                    let verdict = ring.append(item.exemplar, of: item.reference, labels: labels, window: window)
                    verdicts.append(verdict)
                    if verdict == .stored { stored.append(item) }
                }
            }
            if !stored.isEmpty { position = try wal?.append(exemplars: stored) }
        }
        if let position { try wal?.flush(through: position) }
        return verdicts
    }

    /// The exemplars from `from` through `through` of series that satisfy all matchers of any selector; sorted by labels.
    public func exemplars(_ selectors: [[Matcher]], from: Timestamp, through: Timestamp) -> [SeriesExemplars] {
        exemplars.withLock { $0 }.select(selectors, from: from, through: through)
    }

    public var exemplarStatistics: ExemplarStatistics {
        exemplars.withLock { ring in
            ExemplarStatistics(
                capacity: ring.capacity, count: ring.count, seriesCount: ring.seriesCount,
                appendedCount: ring.appendedCount, outOfOrderCount: ring.outOfOrderCount, oldestTimestamp: ring.oldestTimestamp)
        }
    }
}

/// Counters and sizes of the exemplars, for `/metrics`.
public struct ExemplarStatistics: Sendable {
    public var capacity: Int
    public var count: Int
    public var seriesCount: Int
    public var appendedCount: Int
    public var outOfOrderCount: Int
    /// Of the exemplar that came first; `nil` where there is none.
    public var oldestTimestamp: Timestamp?
}

extension Head {
    /// The labels of each series; `nil` for a reference that names none (any more).
    func labels(of references: [SeriesRef]) -> [Labels?] {
        index.withLock { index in
            let symbols = index.symbols.reader
            return references.map { reference in
                guard index.isLive(reference) else { return nil }
                let identity = index.identities[Int(reference.slot)].pointee
                guard let pairs = identity.pairs else { return nil }
                var packed: [UInt8] = []
                for place in 0..<Int(identity.count) * 2 { packed.appendLabelPart(symbols.bytes(pairs[place])) }
                return Labels(uncheckedPacked: packed)
            }
        }
    }
}
