import TSDB

/// The same columns under other labels: what `label_replace` and `label_join` do. Values are not looked at.
struct RelabeledSeries: VectorOperator {
    let source: any VectorOperator
    let labels: [Labels]
    /// A name that was just set stays.
    let setsName: [Bool]

    var count: Int { labels.count }
    var canFail: Bool { source.canFail }
    func labels(at index: Int) -> Labels { labels[index] }
    func dropsName(at index: Int) -> Bool { !setsName[index] && source.dropsName(at: index) }

    func fill(_ index: Int, into column: inout StepColumn, scratch: Scratch) throws(QueryError) {
        try source.fill(index, into: &column, scratch: scratch)
    }

    /// Bytes of a label value that a query makes. Each step of a chain could double it, and patterns are matched
    /// against it in one go.
    static let longestValue = 64 << 10

    /// Applies `edit` to all label sets; `nil` leaves one as it is. `bound` says how long the value can become at most,
    /// and is asked first. Series that become equal are merged.
    static func make(
        _ source: any VectorOperator, setting name: String, context: QueryContext, bound: (Labels) -> Int,
        _ edit: (Labels) -> String?
    ) throws(QueryError) -> any VectorOperator {
        var labels: [Labels] = [], setsName: [Bool] = []
        try context.reserve(bytes: source.count * LabelBudget.overhead)
        labels.reserveCapacity(source.count)
        setsName.reserveCapacity(source.count)
        var work = 0
        for index in 0..<source.count {
            let old = source.labels(at: index)
            let length = bound(old)
            guard length <= longestValue else {
                throw QueryError(
                    .limit,
                    "the label \(name.goQuoted) would become \(length) bytes long; a query may make \(longestValue)")
            }
            try context.reserve(bytes: length)
            work &+= 64 &+ old.packed.count &+ length
            if work > 1 << 16 {
                work = 0
                try context.check()
            }
            guard let value = edit(old) else {
                context.release(bytes: length)
                try context.reserve(bytes: old.packed.count)
                labels.append(old)
                setsName.append(false)
                continue
            }
            var builder = LabelsBuilder(old)
            builder.set(name, to: value)
            let new = builder.labels()
            context.release(bytes: length)
            try context.reserve(bytes: new.packed.count)
            labels.append(new)
            setsName.append(name == MetricName.label)
        }
        return DistinctRows.of(RelabeledSeries(source: source, labels: labels, setsName: setsName))
    }
}

/// `label_join(v, "dst", "-", "a", "b")`: a label from the values of others with a separator between them.
enum LabelJoin {
    static func make(
        _ source: any VectorOperator, destination: String, separator: String, sources: [String], range: Range<Int>,
        context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        for name in sources where !LabelName.isValid(name) {
            throw QueryError(.evaluation, "invalid source label name in label_join(): \(name)", range: range)
        }
        guard LabelName.isValid(destination) else {
            throw QueryError(
                .evaluation, "invalid destination label name in label_join(): \(destination)", range: range)
        }
        // Both come from one query of 64 KiB.
        let separators = max(0, sources.count - 1) * separator.utf8.count
        return try RelabeledSeries.make(source, setting: destination, context: context) { labels in
            sources.reduce(separators) { $0 &+ labels.length(of: $1) }
        } _: { labels in
            sources.map { labels[$0] ?? "" }.joined(separator: separator)
        }
    }
}

extension Labels {
    /// Bytes of the value of `name`; 0 where there is none.
    func length(of name: String) -> Int {
        var name = name
        return name.withUTF8 { withValue(of: UnsafeRawBufferPointer($0)) { $0?.count ?? 0 } }
    }
}

enum LabelName {
    /// Any text but the empty one. Bytes that are no text (`"\xff"`) have become U+FFFD when the query was read, so that
    /// character is taken for them.
    static func isValid(_ name: String) -> Bool { !name.isEmpty && !name.unicodeScalars.contains("\u{FFFD}") }
}
