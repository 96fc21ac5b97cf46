import Numbers

/// What a template says, as a tree. Printing a part gives its source in one fixed layout: error messages show it.
///
///     {{ range $i, $a := .Alerts }}{{ $a.Labels.job }}{{ else }}none{{ end }}
///
///     range ── pipeline $i, $a := .Alerts
///       ├─ action ── pipeline $a.Labels.job
///       └─ else ── text "none"
indirect enum TemplateNode: Sendable {
    case text(String)
    case action(Pipeline)
    /// `if` and `with`.
    case condition(isWith: Bool, Pipeline, [TemplateNode], otherwise: [TemplateNode])
    case range(Pipeline, [TemplateNode], otherwise: [TemplateNode])
    case template(name: String, Pipeline?, position: Int)
    case breakLoop
    case continueLoop
}

/// `$x := a | b c`: each command's value is the last argument of the next.
struct Pipeline: Sendable {
    var position: Int
    /// `=`: the variable is there already.
    var isAssignment = false
    var variables: [String] = []
    var commands: [Command] = []

    /// The function that makes its value, where one does.
    var lastFunction: String? {
        guard case .function(let name, _) = commands.last?.arguments.first else { return nil }
        return name
    }
}

/// `printf "%d" .Count`: an operand, or a function or method with its arguments.
struct Command: Sendable {
    var position: Int
    var arguments: [Operand] = []
}

indirect enum Operand: Sendable {
    case dot(position: Int)
    case null(position: Int)
    case boolean(Bool, position: Int)
    case number(NumberConstant, position: Int)
    /// `source` is the literal with its quotes.
    case string(String, source: String, position: Int)
    /// `.a.b`
    case field([String], position: Int)
    /// `$x.a.b`
    case variable(String, fields: [String], position: Int)
    case function(String, position: Int)
    /// `(…).a.b`
    case chain(Operand, fields: [String], position: Int)
    case pipeline(Pipeline)

    var position: Int {
        switch self {
        case .dot(let position), .null(let position), .boolean(_, let position), .number(_, let position),
            .string(_, _, let position), .field(_, let position), .variable(_, _, let position),
            .function(_, let position), .chain(_, _, let position):
            return position
        case .pipeline(let pipeline): return pipeline.position
        }
    }

    /// Whether it may stand behind a `|`.
    var isExecutable: Bool {
        switch self {
        case .dot, .null, .boolean, .number, .string: false
        case .field, .variable, .function, .chain, .pipeline: true
        }
    }
}

extension Operand: CustomStringConvertible {
    var description: String {
        switch self {
        case .dot: "."
        case .null: "nil"
        case .boolean(let value, _): "\(value)"
        case .number(let number, _): number.text
        case .string(_, let source, _): source
        case .field(let names, _): names.map { "." + $0 }.joined()
        case .variable(let name, let fields, _): ([name] + fields).joined(separator: ".")
        case .function(let name, _): name
        case .chain(.pipeline(let inner), let fields, _): "(\(inner))" + fields.map { "." + $0 }.joined()
        case .chain(let inner, let fields, _): "\(inner)" + fields.map { "." + $0 }.joined()
        case .pipeline(let pipeline): "\(pipeline)"
        }
    }
}

extension Command: CustomStringConvertible {
    var description: String {
        arguments.map { argument in
            if case .pipeline(let inner) = argument { return "(\(inner))" }
            return "\(argument)"
        }.joined(separator: " ")
    }
}

extension Pipeline: CustomStringConvertible {
    var description: String {
        let head = variables.isEmpty ? "" : variables.joined(separator: ", ") + (isAssignment ? " = " : " := ")
        return head + commands.map(\.description).joined(separator: " | ")
    }
}

extension TemplateNode: CustomStringConvertible {
    var description: String {
        func text(_ nodes: [TemplateNode]) -> String { nodes.map(\.description).joined() }
        func tail(_ otherwise: [TemplateNode]) -> String {
            (otherwise.isEmpty ? "" : "{{else}}" + text(otherwise)) + "{{end}}"
        }
        switch self {
        case .text(let content): return content
        case .action(let pipeline): return "{{\(pipeline)}}"
        case .condition(let isWith, let pipeline, let body, let otherwise):
            return "{{\(isWith ? "with" : "if") \(pipeline)}}" + text(body) + tail(otherwise)
        case .range(let pipeline, let body, let otherwise):
            return "{{range \(pipeline)}}" + text(body) + tail(otherwise)
        case .template(let name, let pipeline, _):
            return "{{template \(QuotedText.go(name))\(pipeline.map { " \($0)" } ?? "")}}"
        case .breakLoop: return "{{break}}"
        case .continueLoop: return "{{continue}}"
        }
    }
}
