import Numbers

/// Builds the trees of a text: the text itself and every `define` and `block` in it.
///
/// Checks what can be known before there is data: functions exist, variables are declared, actions are closed.
/// Error texts and line numbers are those of Go's `text/template`.
///
/// Invariant: trees are at most `maximumDepth` deep, so walking one never runs out of stack.
struct TemplateParser {
    static let maximumDepth = 100

    private let name: String
    private let functions: Set<String>
    private let tokens: [TemplateToken]
    private var index = 0
    /// Declared so far, innermost last.
    private var variables = ["$"]
    private var loops = 0
    private var depth = 0
    /// Where the current action began.
    private var actionLine = 0
    private var templates: [(name: String, body: [TemplateNode])] = []

    /// The templates of `text`; the last is the text itself, called `name`.
    static func parse(
        _ text: String, name: String, functions: Set<String>
    ) throws(TemplateError) -> [(name: String, body: [TemplateNode])] {
        var parser = TemplateParser(name: name, functions: functions, tokens: TemplateLexer.tokens(of: text))
        let body = try parser.topLevel()
        return parser.templates + [(name, body)]
    }

    private init(name: String, functions: Set<String>, tokens: [TemplateToken]) {
        self.name = name
        self.functions = functions
        self.tokens = tokens
    }

    // MARK: Tokens

    private var current: TemplateToken { tokens[min(index, tokens.count - 1)] }

    private mutating func next() -> TemplateToken {
        let token = current
        index += 1
        return token
    }

    private mutating func skipSpace() { while current.kind == .space { index += 1 } }

    private mutating func nextWord() -> TemplateToken {
        skipSpace()
        return next()
    }

    private mutating func peekWord() -> TemplateToken {
        skipSpace()
        return current
    }

    private func failure(_ message: String) -> TemplateError {
        TemplateError("template: \(name):\(tokens[min(max(0, index - 1), tokens.count - 1)].line): \(message)")
    }

    private func unexpected(_ token: TemplateToken, _ context: String) -> TemplateError {
        guard token.kind == .error else { return failure("unexpected \(shown(token)) in \(context)") }
        var origin = ""
        if actionLine != 0 && actionLine != token.line {
            let place = "started at \(name):\(actionLine)"
            origin = token.text.hasSuffix(" action") ? " \(place)" : " in action \(place)"
        }
        return failure(token.text + origin)
    }

    private func shown(_ token: TemplateToken) -> String {
        switch token.kind {
        case .end: return "EOF"
        case .error: return token.text
        case .keyword: return "<\(token.text)>"
        default:
            return token.text.utf8.count > 10
                ? QuotedText.go(String(token.text.unicodeScalars.prefix(10).map(Character.init))) + "..."
                : QuotedText.go(token.text)
        }
    }

    private mutating func nested<R>(_ body: (inout Self) throws(TemplateError) -> R) throws(TemplateError) -> R {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw failure("nested more than \(Self.maximumDepth) deep") }
        return try body(&self)
    }

    // MARK: Lists

    /// What ended a list.
    private enum Closing { case end, otherwise }

    private mutating func topLevel() throws(TemplateError) -> [TemplateNode] {
        var nodes: [TemplateNode] = []
        while current.kind != .end {
            if current.kind == .leftDelimiter, isDefinition {
                try definition()
                continue
            }
            switch try textOrAction() {
            case .node(let node): nodes.append(node)
            case .closing(.end): throw failure("unexpected {{end}}")
            case .closing(.otherwise): throw failure("unexpected {{else}}")
            }
        }
        return nodes
    }

    private var isDefinition: Bool {
        var ahead = index + 1
        while ahead < tokens.count, tokens[ahead].kind == .space { ahead += 1 }
        return ahead < tokens.count && tokens[ahead].kind == .keyword(.define)
    }

    private mutating func definition() throws(TemplateError) {
        index += 1
        _ = nextWord()
        let context = "define clause"
        let title = try templateName(nextWord(), context)
        try expect(.rightDelimiter, context)
        try addTemplate(title, context)
    }

    /// The body of a `define` or `block`, with variables of its own.
    private mutating func addTemplate(_ title: String, _ context: String) throws(TemplateError) {
        let outer = (variables, loops)
        variables = ["$"]
        loops = 0
        let (body, closing) = try nested { parser throws(TemplateError) in try parser.list() }
        guard closing == .end else { throw failure("unexpected {{else}} in \(context)") }
        (variables, loops) = outer
        templates.append((title, body))
    }

    private mutating func list() throws(TemplateError) -> ([TemplateNode], Closing) {
        var nodes: [TemplateNode] = []
        while peekWord().kind != .end {
            switch try textOrAction() {
            case .node(let node): nodes.append(node)
            case .closing(let closing): return (nodes, closing)
            }
        }
        throw failure("unexpected EOF")
    }

    private enum Item {
        case node(TemplateNode)
        case closing(Closing)
    }

    private mutating func textOrAction() throws(TemplateError) -> Item {
        let token = nextWord()
        switch token.kind {
        case .text: return .node(.text(token.text))
        case .leftDelimiter:
            actionLine = token.line
            defer { actionLine = 0 }
            return try action()
        default: throw unexpected(token, "input")
        }
    }

    // MARK: Actions

    private mutating func action() throws(TemplateError) -> Item {
        let token = peekWord()
        guard case .keyword(let keyword) = token.kind else {
            return .node(.action(try pipeline("command", until: .rightDelimiter)))
        }
        switch keyword {
        case .if, .with, .range:
            index += 1
            return .node(try control(keyword))
        case .template:
            index += 1
            let quoted = nextWord()
            let title = try templateName(quoted, "template clause")
            if peekWord().kind == .rightDelimiter {
                index += 1
                return .node(.template(name: title, nil, position: quoted.position))
            }
            let data = try pipeline("template clause", until: .rightDelimiter)
            return .node(.template(name: title, data, position: quoted.position))
        case .block:
            index += 1
            let quoted = nextWord()
            let title = try templateName(quoted, "block clause")
            let data = try pipeline("block clause", until: .rightDelimiter)
            try addTemplate(title, "block clause")
            return .node(.template(name: title, data, position: quoted.position))
        case .break, .continue:
            index += 1
            let after = nextWord()
            guard after.kind == .rightDelimiter else { throw unexpected(after, "{{\(keyword.rawValue)}}") }
            guard loops > 0 else { throw failure("{{\(keyword.rawValue)}} outside {{range}}") }
            return .node(keyword == .break ? .breakLoop : .continueLoop)
        case .end:
            index += 1
            try expect(.rightDelimiter, "end")
            return .closing(.end)
        case .else:
            index += 1
            let after = peekWord().kind
            if after != .keyword(.if) && after != .keyword(.with) { try expect(.rightDelimiter, "else") }
            return .closing(.otherwise)
        case .nil, .define: return .node(.action(try pipeline("command", until: .rightDelimiter)))
        }
    }

    /// `if`, `with` or `range` up to its `end`.
    private mutating func control(_ keyword: TemplateToken.Keyword) throws(TemplateError) -> TemplateNode {
        try nested { parser throws(TemplateError) in
            let scope = parser.variables.count
            defer { parser.variables.removeLast(parser.variables.count - scope) }
            let pipe = try parser.pipeline(keyword.rawValue, until: .rightDelimiter)
            if keyword == .range { parser.loops += 1 }
            let (body, closing) = try parser.list()
            if keyword == .range { parser.loops -= 1 }
            var otherwise: [TemplateNode] = []
            if closing == .otherwise { otherwise = try parser.alternative(keyword) }
            if keyword == .range { return .range(pipe, body, otherwise: otherwise) }
            return .condition(isWith: keyword == .with, pipe, body, otherwise: otherwise)
        }
    }

    /// What follows `{{else`.
    private mutating func alternative(_ keyword: TemplateToken.Keyword) throws(TemplateError) -> [TemplateNode] {
        if keyword != .range, current.kind == .keyword(keyword) {
            index += 1
            return [try control(keyword)]
        }
        if case .keyword(.if) = current.kind { throw unexpected(next(), "input") }
        if case .keyword(.with) = current.kind { throw unexpected(next(), "input") }
        let (nodes, closing) = try list()
        guard closing == .end else { throw failure("expected end; found {{else}}") }
        return nodes
    }

    private func templateName(_ token: TemplateToken, _ context: String) throws(TemplateError) -> String {
        switch token.kind {
        case .string, .rawString: return try unquoted(token)
        default: throw unexpected(token, context)
        }
    }

    private mutating func expect(_ kind: TemplateToken.Kind, _ context: String) throws(TemplateError) {
        let token = nextWord()
        guard token.kind == kind else { throw unexpected(token, context) }
    }

    private func unquoted(_ token: TemplateToken) throws(TemplateError) -> String {
        if token.kind == .rawString { return String(token.text.dropFirst().dropLast()) }
        guard let text = QuotedLiteral.text(of: token.text) else { throw failure("invalid syntax") }
        return text
    }
}

// MARK: Pipelines

extension TemplateParser {
    private mutating func pipeline(
        _ context: String, until closing: TemplateToken.Kind
    ) throws(TemplateError) -> Pipeline {
        try nested { parser throws(TemplateError) in
            var pipe = Pipeline(position: parser.peekWord().position)
            try parser.declarations(&pipe, context)
            while true {
                let token = parser.peekWord()
                switch token.kind {
                case closing:
                    parser.index += 1
                    try parser.check(pipe, context)
                    return pipe
                case .boolean, .character, .dot, .field, .identifier, .number, .keyword(.nil), .rawString, .string,
                    .variable, .leftParenthesis:
                    pipe.commands.append(try parser.command())
                default:
                    parser.index += 1
                    throw parser.unexpected(token, context)
                }
            }
        }
    }

    /// `$x :=`, `$x =`, and in `range` also `$i, $x :=`.
    private mutating func declarations(_ pipe: inout Pipeline, _ context: String) throws(TemplateError) {
        while peekWord().kind == .variable {
            let start = index
            let variable = next()
            let after = peekWord()
            switch after.kind {
            case .assign, .declare:
                index += 1
                pipe.isAssignment = after.kind == .assign
                if pipe.isAssignment { try checkDeclared(variable.text) }
                declare(variable.text, &pipe)
                return
            case .symbol where after.text == ",":
                index += 1
                declare(variable.text, &pipe)
                guard context == "range", pipe.variables.count < 2 else {
                    throw failure("too many declarations in \(context)")
                }
                switch peekWord().kind {
                case .variable, .rightDelimiter, .rightParenthesis: continue
                default: throw failure("range can only initialize variables")
                }
            default:
                index = start
                return
            }
        }
    }

    private mutating func declare(_ variable: String, _ pipe: inout Pipeline) {
        pipe.variables.append(variable)
        if !pipe.isAssignment { variables.append(variable) }
    }

    private func checkDeclared(_ variable: String) throws(TemplateError) {
        guard variables.contains(variable) else { throw failure("undefined variable \(QuotedText.go(variable))") }
    }

    private func check(_ pipe: Pipeline, _ context: String) throws(TemplateError) {
        if pipe.commands.isEmpty { throw failure("missing value for \(context)") }
        for (stage, command) in pipe.commands.enumerated().dropFirst() where !command.arguments[0].isExecutable {
            throw failure("non executable command in pipeline stage \(stage + 1)")
        }
    }

    private mutating func command() throws(TemplateError) -> Command {
        var command = Command(position: peekWord().position)
        arguments: while true {
            if let operand = try operand() { command.arguments.append(operand) }
            let token = next()
            switch token.kind {
            case .space: continue
            case .pipe: break arguments
            case .rightDelimiter, .rightParenthesis:
                index -= 1
                break arguments
            default: throw unexpected(token, "operand")
            }
        }
        if command.arguments.isEmpty { throw failure("empty command") }
        return command
    }

    private mutating func operand() throws(TemplateError) -> Operand? {
        guard let term = try term() else { return nil }
        guard current.kind == .field else { return term }
        let position = current.position
        var fields: [String] = []
        while current.kind == .field { fields.append(String(next().text.dropFirst())) }
        switch term {
        case .field(let names, _): return .field(names + fields, position: position)
        case .variable(let name, let names, _): return .variable(name, fields: names + fields, position: position)
        case .boolean, .string, .number, .null, .dot:
            throw failure("unexpected . after term \(QuotedText.go(term.description))")
        case .function, .chain, .pipeline: return .chain(term, fields: fields, position: position)
        }
    }

    private mutating func term() throws(TemplateError) -> Operand? {
        let token = nextWord()
        let position = token.position
        switch token.kind {
        case .identifier:
            guard functions.contains(token.text) else {
                throw failure("function \(QuotedText.go(token.text)) not defined")
            }
            return .function(token.text, position: position)
        case .dot: return .dot(position: position)
        case .keyword(.nil): return .null(position: position)
        case .variable:
            try checkDeclared(token.text)
            return .variable(token.text, fields: [], position: position)
        case .field: return .field([String(token.text.dropFirst())], position: position)
        case .boolean: return .boolean(token.text == "true", position: position)
        case .number:
            guard let number = NumberConstant(token.text) else {
                throw failure("illegal number syntax: \(QuotedText.go(token.text))")
            }
            if number.isTooLarge { throw failure("integer overflow: \(QuotedText.go(token.text))") }
            return .number(number, position: position)
        case .character:
            guard let text = QuotedLiteral.text(of: token.text), let scalar = text.unicodeScalars.first,
                text.unicodeScalars.count == 1
            else { throw failure("malformed character constant: \(token.text)") }
            return .number(NumberConstant(character: scalar, text: token.text), position: position)
        case .leftParenthesis: return .pipeline(try pipeline("parenthesized pipeline", until: .rightParenthesis))
        case .string, .rawString: return .string(try unquoted(token), source: token.text, position: position)
        default:
            index -= 1
            return nil
        }
    }
}
