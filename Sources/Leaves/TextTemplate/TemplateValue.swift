import Numbers

/// A value that a template works on, with as much of its Go type as messages and comparisons need.
///
///     missing   what a map has not got: printed as `<no value>`
///     object    a record with fields and methods: an alert, a sample of a query
///
/// Numbers have two types that never mix in comparisons: `eq 1 1.0` is an error, as in Go.
public indirect enum TemplateValue: Sendable {
    case missing
    case null
    case boolean(Bool)
    case integer(Int64)
    case float(Double)
    case string(String)
    case list([TemplateValue], type: String)
    case map(TemplateMap)
    case object(any TemplateObject)

    /// A list whose elements may be anything.
    public static func list(_ elements: [TemplateValue]) -> TemplateValue { .list(elements, type: "[]interface {}") }

    /// A list of strings.
    public static func strings(_ elements: [String]) -> TemplateValue {
        .list(elements.map { .string($0) }, type: "[]string")
    }
}

/// Named values, printed and walked in the order of their names.
public struct TemplateMap: Sendable {
    public var values: [String: TemplateValue]
    /// What an unknown name gives.
    public var zero: TemplateValue
    public var type: String
    /// Methods that a map of this kind has, such as `SortedPairs`.
    public var methods: [String: TemplateFunction]
    /// How it is printed; `nil`: `map[a:1 b:2]`.
    public var printed: (@Sendable ([String: TemplateValue]) -> String)?

    public init(
        _ values: [String: TemplateValue], zero: TemplateValue = .null, type: String = "map[string]interface {}",
        methods: [String: TemplateFunction] = [:]
    ) {
        self.values = values
        self.zero = zero
        self.type = type
        self.methods = methods
    }

    /// Labels or annotations: an unknown name is the empty text.
    public init(
        strings: [String: String], type: String = "map[string]string", methods: [String: TemplateFunction] = [:]
    ) {
        self.init(strings.mapValues { .string($0) }, zero: .string(""), type: type, methods: methods)
    }

    public var sortedNames: [String] { values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}

/// A record that templates may look into.
public protocol TemplateObject: Sendable {
    /// As Go names it, for messages: `time.Time`, `*template.Alert`.
    var typeName: String { get }
    /// `nil`: there is no such field.
    func field(_ name: String) -> TemplateValue?
    /// `nil`: there is no such method.
    func method(_ name: String) -> TemplateFunction?
    /// What `{{ . }}` prints.
    var text: String { get }
    /// What `eq` compares; `nil`: records of this kind cannot be compared.
    var identity: String? { get }
}

extension TemplateObject {
    public func method(_ name: String) -> TemplateFunction? { nil }
    public var identity: String? { nil }
}

extension TemplateValue {
    /// As Go names it.
    public var typeName: String {
        switch self {
        case .missing: "<nil>"
        case .null: "<nil>"
        case .boolean: "bool"
        case .integer: "int"
        case .float: "float64"
        case .string: "string"
        case .list(_, let type): type
        case .map(let map): map.type
        case .object(let object): object.typeName
        }
    }

    /// What `if` sees: false, zero, nil and whatever is empty are no; records are yes.
    var isTrue: Bool {
        switch self {
        case .missing, .null: false
        case .boolean(let value): value
        case .integer(let value): value != 0
        case .float(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let elements, _): !elements.isEmpty
        case .map(let map): !map.values.isEmpty
        case .object: true
        }
    }

    /// As Go's `%v` prints it; `within` is set inside of lists and maps.
    public var text: String { text(within: false) }

    private func text(within: Bool) -> String {
        switch self {
        case .missing: within ? "<nil>" : "<no value>"
        case .null: within ? "<nil>" : "<no value>"
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .float(let value): NumberText.string(value, style: .general)
        case .string(let text): text
        case .list(let elements, _): "[" + elements.map { $0.text(within: true) }.joined(separator: " ") + "]"
        case .map(let map):
            map.printed?(map.values) ?? "map["
                + map.sortedNames.map { "\($0):\((map.values[$0] ?? .missing).text(within: true))" }.joined(
                    separator: " ")
                + "]"
        case .object(let object): object.text
        }
    }
}
