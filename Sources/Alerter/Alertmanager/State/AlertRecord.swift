import TSDB

/// An alert as the file `alerts` holds it; the file is ours, upstream keeps its alerts in memory only.
///
///     1 label {1 name  2 value} …   2 annotation {1 name  2 value} …   3 generator_url
///     4 starts_at   5 ends_at   6 updated_at   7 ends_by_timeout   8 state (1 fires, 2 over, 3 gone)
///
/// Of records with equal labels the last counts; one that is gone has labels and state only.
struct AlertRecord: Sendable, Equatable {
    enum State: UInt64, Sendable {
        case fires = 1
        /// Over, and not everybody who has to hear of it has heard of it.
        case over = 2
        case gone = 3
    }

    var alert: Alert
    var state: State

    init(_ alert: Alert, _ state: State) {
        self.alert = alert
        self.state = state
    }

    func encoded() -> [UInt8] {
        var writer = ProtobufWriter()
        func pair(_ name: String, _ value: String) -> [UInt8] {
            var pair = ProtobufWriter()
            pair.text(1, name)
            pair.text(2, value)
            return pair.bytes
        }
        for (name, value) in alert.labels.pairs { writer.message(1, pair(name, value)) }
        if state != .gone {
            for one in alert.annotations.pairs { writer.message(2, pair(one.name, one.value)) }
            writer.text(3, alert.generatorURL)
            writer.timestamp(4, alert.startsAt)
            if let end = alert.endsAt { writer.timestamp(5, end) }
            writer.timestamp(6, alert.updatedAt)
            writer.number(7, alert.endsByTimeout ? 1 : 0)
        }
        writer.number(8, state.rawValue)
        return writer.bytes
    }

    init(decoding bytes: ArraySlice<UInt8>) throws(TSDBError) {
        var reader = ProtobufReader(bytes)
        var labels: [(name: String, value: String)] = [], annotations = Annotations()
        var link = "", isTimeout = false
        var begin: Timestamp?, end: Timestamp?, updated: Timestamp?
        var state: State?
        while let field = try reader.next() {
            switch field.number {
            case 1: labels.append(try Self.pair(try field.message()))
            case 2:
                let pair = try Self.pair(try field.message())
                annotations[pair.name] = pair.value
            case 3: link = try field.text()
            case 4: begin = try field.timestamp()
            case 5: end = try field.timestamp()
            case 6: updated = try field.timestamp()
            case 7: isTimeout = try field.unsigned() != 0
            case 8: state = State(rawValue: try field.unsigned())
            default: break
            }
        }
        guard !labels.isEmpty, let state else { throw TSDBError(.corruption, "an alert without labels or state") }
        guard state == .gone || begin != nil && updated != nil else { throw TSDBError(.corruption, "an alert without times") }
        let start = begin ?? .min
        self.init(
            Alert(
                labels: Labels(labels), annotations: annotations, generatorURL: link, startsAt: start, endsAt: end,
                updatedAt: updated, endsByTimeout: isTimeout), state)
    }

    private static func pair(_ bytes: ArraySlice<UInt8>) throws(TSDBError) -> (name: String, value: String) {
        var reader = ProtobufReader(bytes)
        var name = "", value = ""
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try field.text()
            case 2: value = try field.text()
            default: break
            }
        }
        if name.isEmpty { throw TSDBError(.corruption, "a pair without a name") }
        return (name, value)
    }
}
