import TSDB

/// One attempt to notify, for somebody with a network to make.
///
/// Whoever takes it calls `finish` once, at the latest soon after `deadline`: by then the attempt is given up.
public struct Delivery: Sendable, Equatable {
    /// Unique within one run of the process.
    public struct ID: Sendable, Hashable, Comparable {
        let rawValue: UInt64
        public static func < (a: ID, b: ID) -> Bool { a.rawValue < b.rawValue }
    }

    public var id: ID
    public var notification: Notification
    /// 1 for the first attempt.
    public var attempt: Int
    /// When the flush that it belongs to ends: one group interval after its start, ten seconds at least.
    public var deadline: Timestamp
}
