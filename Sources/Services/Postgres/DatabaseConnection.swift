/// One session with a database: what the pool hands out, and what tests script.
///
/// A statement is a `StaticString`: text of ours, written before any input was seen. Values go beside it, as parameters, so there
/// is no way to build a statement from them.
public protocol DatabaseConnection: AnyObject {
    /// Runs one statement and waits for its answer.
    func query(_ statement: StaticString, _ parameters: [Parameter]) throws(PostgresError) -> Rows
    /// Whether a statement can be expected to reach the server: `false` when the other side has ended the session meanwhile.
    var isAlive: Bool { get }
}

extension DatabaseConnection {
    @discardableResult
    public func query(_ statement: StaticString) throws(PostgresError) -> Rows { try query(statement, []) }
}

/// A value for `$1`, `$2`, … as text; the statement says what type it is (`$1::bigint`).
public enum Parameter: Equatable, Sendable {
    case null
    case text(String)

    public static func number(_ value: Int) -> Parameter { .text(String(value)) }
    /// `Double.description` is what PostgreSQL reads as float8 and as numeric.
    public static func number(_ value: Double) -> Parameter { .text(value.description) }
}

/// The answer to one statement: columns by name, cells as text.
public struct Rows: Equatable, Sendable {
    public var columns: [String]
    public var cells: [[String?]]
    /// Rows that an INSERT, UPDATE or DELETE touched.
    public var affected: Int

    public init(columns: [String] = [], cells: [[String?]] = [], affected: Int = 0) {
        self.columns = columns
        self.cells = cells
        self.affected = affected
    }

    public var count: Int { cells.count }

    /// Cell of a row by the column's name; `nil` for NULL and for columns that are not there.
    public subscript(row: Int, column: String) -> String? {
        guard let index = columns.firstIndex(of: column), cells.indices.contains(row), cells[row].indices.contains(index) else { return nil }
        return cells[row][index]
    }
}
