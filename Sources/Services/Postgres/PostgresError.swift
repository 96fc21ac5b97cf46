/// Why a statement had no answer.
///
///     lost      the server is away, or went away in the middle: nobody knows whether the statement was done
///     timeout   it took longer than the statement timeout, ours or the server's
///     busy      all connections are taken and the queue behind them is full
///     refused   the server said no: `sqlState` and `message` say why
public struct PostgresError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable { case lost, timeout, busy, refused }

    public var code: Code
    /// Five characters as the server gives them (`23505`); empty where no server spoke.
    public var sqlState: String
    /// One line.
    public var message: String

    public init(_ code: Code, sqlState: String = "", _ message: String) {
        self.code = code
        self.sqlState = sqlState
        self.message = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    public var description: String { sqlState.isEmpty ? message : "\(message) (SQLSTATE \(sqlState))" }

    /// What the server's error means: classes 08 and 57P are connections that ended or cannot be had now, 57014 is a cancelled statement.
    /// Source: PostgreSQL documentation, appendix A, “PostgreSQL Error Codes”.
    public static func code(ofState state: String) -> Code {
        switch state {
        case "57014": .timeout
        case "53300": .lost
        case _ where state.hasPrefix("08") || state.hasPrefix("57P"): .lost
        default: .refused
        }
    }
}
