/// A function or method that templates may call.
///
/// Parameters are typed, as Go's are: a value of another type is refused before the function sees it, and a number
/// constant becomes what the parameter asks for.
public struct TemplateFunction: Sendable {
    public enum Parameter: Sendable {
        case any, string, integer, float, boolean
        /// A value whose `typeName` is this.
        case type(String)

        var name: String {
            switch self {
            case .any: "interface {}"
            case .string: "string"
            case .integer: "int"
            case .float: "float64"
            case .boolean: "bool"
            case .type(let name): name
            }
        }
    }

    public typealias Body = @Sendable ([TemplateValue]) throws(TemplateError) -> TemplateValue

    let parameters: [Parameter]
    /// Any number of further arguments.
    let rest: Parameter?
    let body: Body

    /// `body` gets as many arguments as there are parameters, or more with `rest`, each of its parameter's type.
    /// What it throws is shown as “error calling NAME: …”.
    public init(_ parameters: [Parameter] = [], rest: Parameter? = nil, _ body: @escaping Body) {
        self.parameters = parameters
        self.rest = rest
        self.body = body
    }

    func parameter(_ index: Int) -> Parameter { index < parameters.count ? parameters[index] : rest ?? .any }
}

/// Why a template could not be read or filled in. `message` says where, as Go does: `template: NAME:LINE:COLUMN: …`.
public struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
