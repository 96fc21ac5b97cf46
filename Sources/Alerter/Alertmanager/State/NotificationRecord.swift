import TSDB

/// What an integration was told last about a group, as the file `nflog` holds it: upstream's `MeshEntry`.
///
///     MeshEntry   1 entry   2 expires_at
///     Entry       1 group_key   2 receiver {1 group_name  2 integration  3 idx}   5 timestamp
///                 6 firing_alerts   7 resolved_alerts   (hashes)   8 receiver_data (kept as it is)
///
/// Source: Alertmanager, `nflog/nflogpb/nflog.proto`.
struct NotificationRecord: Sendable, Equatable {
    /// Whom, about what.
    struct Key: Sendable, Hashable, Comparable {
        var groupKey: String
        var receiver: String
        /// `webhook`, `slack` …
        var integration: String
        var index: Int

        static func < (a: Key, b: Key) -> Bool {
            (a.groupKey, a.receiver, a.integration, a.index) < (b.groupKey, b.receiver, b.integration, b.index)
        }
    }

    var key: Key
    var timestamp: Timestamp
    /// Hashes of the alerts that fired and of those that were over.
    var firing: [UInt64]
    var resolved: [UInt64]
    var expiresAt: Timestamp
    var unknownFields: [UInt8] = []

    init(
        key: Key, timestamp: Timestamp, firing: [UInt64], resolved: [UInt64], expiresAt: Timestamp, unknownFields: [UInt8] = []
    ) {
        self.key = key
        self.timestamp = timestamp
        self.firing = firing
        self.resolved = resolved
        self.expiresAt = expiresAt
        self.unknownFields = unknownFields
    }

    func encoded() -> [UInt8] {
        var receiver = ProtobufWriter()
        receiver.text(1, key.receiver)
        receiver.text(2, key.integration)
        receiver.number(3, UInt64(UInt32(truncatingIfNeeded: key.index)))
        var entry = ProtobufWriter()
        entry.text(1, key.groupKey)
        entry.message(2, receiver.bytes)
        entry.timestamp(5, timestamp)
        entry.numbers(6, firing)
        entry.numbers(7, resolved)
        entry.raw(unknownFields)
        var outer = ProtobufWriter()
        outer.message(1, entry.bytes)
        outer.timestamp(2, expiresAt)
        return outer.bytes
    }

    init(decoding bytes: ArraySlice<UInt8>) throws(TSDBError) {
        var reader = ProtobufReader(bytes)
        var entry: ArraySlice<UInt8>?
        var expiry: Timestamp?
        while let field = try reader.next() {
            switch field.number {
            case 1 where entry == nil: entry = try field.message()
            case 2 where expiry == nil: expiry = try field.timestamp()
            case 1, 2: throw TSDBError(.corruption, "field \(field.number) comes twice")
            default: break
            }
        }
        guard let entry, let expiry else { throw TSDBError(.corruption, "no entry, or no end of its keeping") }
        self.init(
            key: Key(groupKey: "", receiver: "", integration: "", index: 0), timestamp: .min, firing: [], resolved: [],
            expiresAt: expiry)
        var hasReceiver = false
        var fields = ProtobufReader(entry)
        while let field = try fields.next() {
            switch field.number {
            case 1: key.groupKey = try field.text()
            case 2:
                hasReceiver = true
                var parts = ProtobufReader(try field.message())
                while let part = try parts.next() {
                    switch part.number {
                    case 1: key.receiver = try part.text()
                    case 2: key.integration = try part.text()
                    case 3: key.index = Int(UInt32(truncatingIfNeeded: try part.unsigned()))
                    default: break
                    }
                }
            case 5: timestamp = try field.timestamp()
            case 6: try field.numbers(into: &firing)
            case 7: try field.numbers(into: &resolved)
            default: unknownFields += field.raw
            }
        }
        guard hasReceiver, !key.groupKey.isEmpty, timestamp != .min else {
            throw TSDBError(.corruption, "an entry without group, receiver or time")
        }
    }
}
