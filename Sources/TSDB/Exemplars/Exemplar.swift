/// One observation out of those that a sample counts, with labels that lead elsewhere: the trace of a slow request.
///
///     http_request_duration_seconds_bucket{le="2.5"} 17  # {trace_id="9f1c"} 1.93 1700000000.1
///                                                          labels           value timestamp
///
/// Source: OpenMetrics 1.0.0, “Exemplars”.
public struct Exemplar: Sendable {
    /// At most `maximumLength` characters in all names and values together, as OpenMetrics has it.
    public var labels: Labels
    public var value: Double
    public var timestamp: Timestamp
    /// Its own time, not that of the scrape that brought it: without one, the same exemplar seen again is the same.
    public var hasOwnTimestamp: Bool

    public static let maximumLength = 128

    public init(_ labels: Labels, value: Double, at timestamp: Timestamp, hasOwnTimestamp: Bool = true) {
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
        self.hasOwnTimestamp = hasOwnTimestamp
    }

    /// Whether `other` says the same.
    func repeats(_ other: Exemplar) -> Bool {
        labels == other.labels && value == other.value
            && (timestamp == other.timestamp || !(hasOwnTimestamp || other.hasOwnTimestamp))
    }

    var isTooLong: Bool {
        var length = 0
        labels.forEachPair { name, value in
            length += Self.characters(name) + Self.characters(value)
        }
        return length > Self.maximumLength
    }

    /// Unicode scalars: bytes that do not go on with one.
    private static func characters(_ utf8: UnsafeRawBufferPointer) -> Int {
        utf8.reduce(0) { $0 + ($1 & 0xc0 == 0x80 ? 0 : 1) }
    }
}

/// An exemplar on its way in, or in the log.
public struct SeriesExemplar: Sendable {
    public var reference: SeriesRef
    public var exemplar: Exemplar

    public init(_ reference: SeriesRef, _ exemplar: Exemplar) {
        self.reference = reference
        self.exemplar = exemplar
    }
}

/// What a query is given of one series: exemplars in time order.
public struct SeriesExemplars: Sendable {
    public var labels: Labels
    public var exemplars: [Exemplar]
}

/// What became of one exemplar.
public enum ExemplarVerdict: Sendable {
    case stored
    /// The series' newest exemplar again, or a late one at a time that has one: nothing to do, no error.
    case repeated
    /// Older than the newest one of its series, and outside the out-of-order window.
    case outOfOrder
    /// Its labels have more than `Exemplar.maximumLength` characters.
    case tooLong
    /// The reference names no series.
    case unknownSeries
    /// Exemplars are not stored.
    case disabled
}
