/// A piece of a template: text between actions, or a word inside one.
///
///     Up {{ .Value | humanize -}}  s
///     text │ {{ │ field │ space │ pipe │ space │ identifier │ }} │ text
///
/// Source: documentation of Go's `text/template`, “Text and spaces”, “Arguments”.
struct TemplateToken: Equatable {
    enum Kind: Equatable {
        case text, leftDelimiter, rightDelimiter, space
        /// `.name`, without what follows.
        case field
        /// `$name` or `$`.
        case variable
        /// A function's name.
        case identifier
        case dot, boolean, number, character, string, rawString
        case pipe, assign, declare, leftParenthesis, rightParenthesis
        /// Any other printable character; only `,` has a meaning.
        case symbol
        case keyword(Keyword)
        /// The lexer's complaint; `text` holds it. The last token.
        case error
        case end
    }

    enum Keyword: String, CaseIterable {
        case block, `break`, `continue`, define, `else`, end, `if`, range, `nil`, template, with
    }

    var kind: Kind
    var text: String
    /// Bytes before it.
    var position: Int
    /// From 1.
    var line: Int
}
