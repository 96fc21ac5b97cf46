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
        expression: String, range: Range<Int>
    ) throws(QueryError) -> any VectorOperator {
        throw QueryError(.notImplemented, "function \"label_replace\" is not implemented", range: range)
    }
}
