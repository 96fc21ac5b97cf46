import RegularExpression
import TSDB

/// `label_replace(v, "dst", "$1", "src", "(.*):.*")`: a label from another one by a regular expression.
///
///     {addr="db1:5432"}   label_replace(…, "host", "$1", "addr", "(.*):.*")   {addr="db1:5432", host="db1"}
///
/// The expression must match the whole value, or the series stays as it is. An empty result removes the label.
enum LabelReplace {
    static func make(
        _ source: any VectorOperator, destination: String, replacement: String, source name: String,
        expression: String, range: Range<Int>, context: QueryContext
    ) throws(QueryError) -> any VectorOperator {
        let pattern: Pattern
        do {
            pattern = try Pattern(expression)
        } catch {
            throw QueryError(
                .evaluation, "invalid regular expression in label_replace(): \(expression)", range: range)
        }
        guard LabelName.isValid(destination) else {
            throw QueryError(
                .evaluation, "invalid destination label name in label_replace(): \(destination)", range: range)
        }
        // Each reference yields at most the whole value.
        let references = replacement.utf8.reduce(0) { $0 + ($1 == UInt8(ascii: "$") ? 1 : 0) }
        return try RelabeledSeries.make(source, setting: destination, context: context) { labels in
            replacement.utf8.count &+ references &* labels.length(of: name)
        } _: { labels in
            pattern.captures(in: labels[name] ?? "")?.expand(template: replacement)
        }
    }
}
