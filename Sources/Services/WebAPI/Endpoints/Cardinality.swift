import HTTPServer
import PromQL
import TSDB

/// Where the series come from: the counts behind `/api/v1/status/tsdb`.
///
/// One pass over the label sets of all series; asked for by people, now and then.
struct Cardinality {
    private var seriesByMetric: [String: Int] = [:]
    private var seriesByPair: [String: Int] = [:]
    private var valuesByName: [String: Set<String>] = [:]

    init(of database: Database, _ context: QueryContext) throws(SearchStop) {
        let everything = try SearchStop.during(context) { () throws(TSDBError) in
            try database.select([.notEqual("__name__", "")], from: .min, through: .max)
        }
        for index in 0..<everything.count {
            if index & 1023 == 0 { try SearchStop.during(context) { () throws(TSDBError) in } }
            for (name, value) in everything.labels(at: index).pairs {
                if name == "__name__" { seriesByMetric[value, default: 0] += 1 }
                seriesByPair[name + "=" + value, default: 0] += 1
                valuesByName[name, default: []].insert(value)
            }
        }
    }

    func reply(_ head: HeadStatistics, limit: Int) -> Reply {
        .success { json in
            json.append("{\"headStats\":{\"numSeries\":")
            json.append(head.seriesCount)
            json.append(",\"numLabelPairs\":")
            json.append(head.labelPairCount)
            json.append(",\"chunkCount\":")
            json.append(head.chunkCount)
            json.append(",\"minTime\":")
            json.append(head.minTime.milliseconds)
            json.append(",\"maxTime\":")
            json.append(head.maxTime.milliseconds)
            json.append("},\"seriesCountByMetricName\":")
            json.append(top: seriesByMetric, limit)
            json.append(",\"labelValueCountByLabelName\":")
            json.append(top: valuesByName.mapValues(\.count), limit)
            json.append(",\"memoryInBytesByLabelName\":")
            json.append(top: valuesByName.mapValues { $0.reduce(0) { $0 + $1.utf8.count } }, limit)
            json.append(",\"seriesCountByLabelValuePair\":")
            json.append(top: seriesByPair, limit)
            json.append("}")
        }
    }
}

extension JSONText {
    /// The largest counts first.
    fileprivate mutating func append(top counts: [String: Int], _ limit: Int) {
        let sorted = counts.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
        append("[")
        for (index, entry) in sorted.prefix(limit).enumerated() {
            if index > 0 { append(",") }
            append("{")
            append("name", string: entry.key, first: true)
            append(",\"value\":")
            append(entry.value)
            append("}")
        }
        append("]")
    }
}
