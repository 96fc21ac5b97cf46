/// What went wrong in the bot, in a sentence.
public struct BotError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// The body is no webhook we take.
        case webhook
        /// The incident log cannot be written; nothing is done that is not written down first.
        case log
        /// The incident log is not what was written.
        case chain
        /// A label value is no argument, or a target is not on the list.
        case refused
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
