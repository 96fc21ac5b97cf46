import TSDB

/// The same columns under other labels: what `label_replace` and `label_join` do. Values are not looked at.
struct RelabeledSeries: VectorOperator {
    let source: any VectorOperator
    let labels: [Labels]
    /// A name that was just set stays.
    let setsName: [Bool]

    var count: Int { labels.count }
    func labels(at index: Int) -> Labels { labels[index] }
    func dropsName(at index: Int) -> Bool { !setsName[index] && source.dropsName(at: index) }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try source.fill(index, into: &column, scratch: scratch)
    }

    /// Applies `edit` to all label sets; `nil` leaves one as it is. Series that become equal are merged.
    static func make(
        _ source: any VectorOperator, setting name: String, _ edit: (Labels) -> String?
    ) -> any VectorOperator {
        var labels: [Labels] = [], setsName: [Bool] = []
        labels.reserveCapacity(source.count)
        setsName.reserveCapacity(source.count)
        for index in 0..<source.count {
            let old = source.labels(at: index)
            guard let value = edit(old) else {
                labels.append(old)
                setsName.append(false)
                continue
            }
            var builder = LabelsBuilder(old)
            builder.set(name, to: value)
            labels.append(builder.labels())
            setsName.append(name == MetricName.label)
        }
        return DistinctRows.of(RelabeledSeries(source: source, labels: labels, setsName: setsName))
    }
}

/// `label_join(v, "dst", "-", "a", "b")`: a label from the values of others with a separator between them.
enum LabelJoin {
    static func make(
        _ source: any VectorOperator, destination: String, separator: String, sources: [String], range: Range<Int>
    ) throws(QueryError) -> any VectorOperator {
        for name in sources where !LabelName.isValid(name) {
            throw QueryError(.evaluation, "invalid source label name in label_join(): \(name)", range: range)
        }
        guard LabelName.isValid(destination) else {
            throw QueryError(
                .evaluation, "invalid destination label name in label_join(): \(destination)", range: range)
        }
        return RelabeledSeries.make(source, setting: destination) { labels in
            sources.map { labels[$0] ?? "" }.joined(separator: separator)
        }
    }
}

enum LabelName {
    /// Any text but the empty one. Bytes that are no text (`"\xff"`) have become U+FFFD when the query was read, so that
    /// character is taken for them.
    static func isValid(_ name: String) -> Bool { !name.isEmpty && !name.unicodeScalars.contains("\u{FFFD}") }
}
