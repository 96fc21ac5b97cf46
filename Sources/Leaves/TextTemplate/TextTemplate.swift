/// Templates in the language of Go's `text/template`, as annotations of alert rules and notifications use it.
///
///     {{ define "title" }}[{{ .Status | toUpper }}] {{ .Labels.alertname }}{{ end }}
///     {{ template "title" . }} since {{ range .Alerts }}{{ .StartsAt }} {{ end }}
///
/// A set holds templates that may call each other by name. Reading checks the grammar, functions and variables; filling in
/// is a walk over the tree that may fail but always ends: steps, depth and bytes are bounded.
///
/// Source: documentation of Go's packages `text/template` and `fmt`.
public struct TextTemplate: Sendable {
    /// What filling in may cost.
    public struct Limits: Sendable {
        /// Parts of the tree walked over.
        public var steps = 1_000_000
        /// Templates within templates.
        public var depth = 50
        /// Bytes of the result, and of any text made on the way.
        public var bytes = 4 << 20
        public init() {}
    }

    private var bodies: [String: TemplateBody] = [:]
    private var functions: [String: TemplateFunction]

    /// `functions` are there besides Go's own (`and`, `eq`, `printf` …) and take precedence over them.
    public init(functions: [String: TemplateFunction] = [:]) { self.functions = functions }

    /// Reads `text` as the template `name`, and all that it defines. A later definition of a name replaces an earlier one,
    /// unless it holds nothing but space.
    public mutating func add(_ text: String, name: String) throws(TemplateError) {
        let names = Set(functions.keys).union(TemplateBuiltins.names)
        for (title, nodes) in try TemplateParser.parse(text, name: name, functions: names) {
            let body = TemplateBody(nodes: nodes, source: Array(text.utf8), sourceName: name)
            if bodies[title] == nil || !body.isEmpty { bodies[title] = body }
        }
    }

    /// The same templates with other functions behind the same names, such as one that tells today's time.
    public func replacing(functions replacements: [String: TemplateFunction]) -> TextTemplate {
        var copy = self
        for name in functions.keys { copy.functions[name] = replacements[name] ?? functions[name] }
        return copy
    }

    /// Names of all templates, sorted.
    public var names: [String] { bodies.keys.sorted() }

    /// What values are made harmless for.
    public enum Escaping: Sendable {
        /// Nothing: values appear as they are.
        case none
        /// A page: as Go's `html/template`, by where in the page a value stands.
        case html
    }

    /// The text that the template `name` makes of `data`.
    public func fill(
        _ name: String, with data: TemplateValue, escaping: Escaping = .none, limits: Limits = Limits()
    ) throws(TemplateError) -> String {
        guard bodies[name] != nil else {
            throw TemplateError("template: no template \(name) associated with template \(name)")
        }
        var evaluator = TemplateEvaluator(bodies: bodies, functions: functions, limits: limits, escaping: escaping)
        return try evaluator.run(name, data)
    }
}

/// A tree and the text it came from, for the places in messages.
struct TemplateBody: Sendable {
    let nodes: [TemplateNode]
    let source: [UInt8]
    let sourceName: String

    var isEmpty: Bool {
        nodes.allSatisfy { node in
            guard case .text(let text) = node else { return false }
            return text.utf8.allSatisfy { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
        }
    }

    /// `NAME:LINE:COLUMN`; the column counts bytes from 0.
    func place(_ position: Int) -> String {
        let before = source.prefix(max(0, position))
        let lineStart = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
        return "\(sourceName):\(before.reduce(1) { $1 == 10 ? $0 + 1 : $0 }):\(position - lineStart)"
    }
}
