import Numbers

/// Walks a template's tree and writes what it comes to.
///
///     {{ range .Alerts }}{{ .Labels.job | toUpper }} {{ end }}
///       dot = data ▶ each alert ▶ field, field ▶ function ▶ text
///
/// `dot` is the value that fields are taken from; variables are a stack that grows in a scope and shrinks at its end.
/// The part last looked at is remembered, for it is what Go's messages name.
///
/// Source: documentation of Go's `text/template`; messages as Go words them.
struct TemplateEvaluator {
    private let bodies: [String: TemplateBody]
    private let functions: [String: TemplateFunction]
    private let limits: TextTemplate.Limits

    private var output = ""
    /// Where the output stands in a page; `nil`: it is plain text, nothing is escaped.
    private var page: HTMLContext?
    private var variables: [(name: String, value: TemplateValue)] = []
    private var steps = 0
    private var depth = 0
    /// Lists and pipelines within each other, over all templates being walked.
    private var nesting = 0
    /// The template being walked.
    private var name = ""
    private var body: TemplateBody?
    private var place = Place.none

    /// A part of the tree, for messages.
    private enum Place {
        case none
        case node(TemplateNode, position: Int)
        case pipeline(Pipeline)
        case command(Command)
        case operand(Operand)

        var position: Int {
            switch self {
            case .none: 0
            case .node(_, let position): position
            case .pipeline(let pipeline): pipeline.position
            case .command(let command): command.position
            case .operand(let operand): operand.position
            }
        }

        var text: String {
            switch self {
            case .none: ""
            case .node(let node, _): node.description
            case .pipeline(let pipeline): pipeline.description
            case .command(let command): command.description
            case .operand(let operand): operand.description
            }
        }
    }

    /// How a part ended.
    private enum Flow { case onward, breakLoop, continueLoop }

    init(
        bodies: [String: TemplateBody], functions: [String: TemplateFunction], limits: TextTemplate.Limits,
        escaping: TextTemplate.Escaping
    ) {
        if escaping == .html { page = HTMLContext() }
        self.bodies = bodies
        self.functions = functions
        self.limits = limits
    }

    mutating func run(_ name: String, _ data: TemplateValue) throws(TemplateError) -> String {
        try call(name, try template(name), data)
        return output
    }

    // MARK: Messages and bounds

    private func failure(_ message: String) -> TemplateError {
        guard let body else { return TemplateError("template: \(name): \(message)") }
        return TemplateError(
            "template: \(body.place(place.position)): executing \(QuotedText.go(name)) at <\(place.text)>: \(message)")
    }

    private mutating func step() throws(TemplateError) {
        steps += 1
        if steps > limits.steps { throw failure("takes more than \(limits.steps) steps") }
    }

    /// Runs `body` one level deeper.
    private mutating func nested<R>(_ body: (inout Self) throws(TemplateError) -> R) throws(TemplateError) -> R {
        nesting += 1
        defer { nesting -= 1 }
        if nesting > TemplateParser.maximumDepth * 2 { throw failure("nested too deep") }
        return try body(&self)
    }

    private mutating func write(_ text: String) throws(TemplateError) {
        guard output.utf8.count + text.utf8.count <= limits.bytes else {
            throw failure("makes more than \(limits.bytes) bytes")
        }
        output += text
    }

    // MARK: Templates and nodes

    private func template(_ title: String) throws(TemplateError) -> TemplateBody {
        guard let called = bodies[title] else { throw failure("template \(QuotedText.go(title)) not defined") }
        if depth >= limits.depth { throw failure("exceeded maximum template depth (\(limits.depth))") }
        return called
    }

    private mutating func call(_ title: String, _ called: TemplateBody, _ data: TemplateValue) throws(TemplateError) {
        depth += 1
        let outer = (variables, name, body, place)
        variables = [("$", data)]
        (name, body, place) = (title, called, .none)
        _ = try walk(called.nodes, data)
        (variables, name, body, place) = outer
        depth -= 1
    }

    private mutating func walk(_ nodes: [TemplateNode], _ dot: TemplateValue) throws(TemplateError) -> Flow {
        try nested { evaluator throws(TemplateError) in
            for node in nodes {
                let flow = try evaluator.walk(node, dot)
                if flow != .onward { return flow }
            }
            return .onward
        }
    }

    private mutating func walk(_ node: TemplateNode, _ dot: TemplateValue) throws(TemplateError) -> Flow {
        try step()
        switch node {
        case .text(let text):
            page?.advance(over: text)
            try write(text)
        case .action(let pipe):
            let value = try evaluate(pipe, dot)
            place = .node(node, position: pipe.position)
            if pipe.variables.isEmpty { try write(page?.escaped(value, after: pipe.lastFunction) ?? value.text) }
        case .condition(let isWith, let pipe, let body, let otherwise):
            let scope = variables.count
            defer { variables.removeLast(variables.count - scope) }
            let value = try evaluate(pipe, dot)
            return value.isTrue ? try walk(body, isWith ? value : dot) : try walk(otherwise, dot)
        case .range(let pipe, let body, let otherwise):
            let scope = variables.count
            defer { variables.removeLast(variables.count - scope) }
            return try loop(pipe, body, otherwise, dot)
        case .template(let title, let pipe, let position):
            place = .node(node, position: position)
            let called = try template(title)
            var data = TemplateValue.missing
            if let pipe { data = try evaluate(pipe, dot) }
            try call(title, called, data)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .onward
    }

    private mutating func loop(
        _ pipe: Pipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], _ dot: TemplateValue
    ) throws(TemplateError) -> Flow {
        // The variables are set for each element, not by the pipeline.
        var bare = pipe
        bare.variables = []
        let value = try evaluate(bare, dot)
        let elements: [(key: TemplateValue, value: TemplateValue)]
        switch value {
        case .missing, .null: elements = []
        case .list(let list, _): elements = list.enumerated().map { (.integer(Int64($0.offset)), $0.element) }
        case .map(let map): elements = map.sortedNames.map { (.string($0), map.values[$0] ?? map.zero) }
        case .integer(let count):
            if pipe.variables.count > 1 {
                throw failure("can't use \(value.text) to iterate over more than one variable")
            }
            guard count <= Int64(limits.steps) else { throw failure("takes more than \(limits.steps) steps") }
            elements = (0..<max(0, count)).map { (.integer($0), .integer($0)) }
        default:
            guard let list = value.elements else { throw failure("range can't iterate over \(value.text)") }
            elements = list.enumerated().map { (.integer(Int64($0.offset)), $0.element) }
        }
        guard !elements.isEmpty else { return try walk(otherwise, dot) }
        for element in elements {
            try step()
            let scope = variables.count
            if let last = pipe.variables.last { set(last, element.value, pipe.isAssignment) }
            if pipe.variables.count > 1, let first = pipe.variables.first { set(first, element.key, pipe.isAssignment) }
            let flow = try walk(body, element.value)
            variables.removeLast(variables.count - scope)
            if flow == .breakLoop { break }
        }
        return .onward
    }

    private mutating func set(_ name: String, _ value: TemplateValue, _ isAssignment: Bool) {
        if isAssignment, let index = variables.lastIndex(where: { $0.name == name }) {
            variables[index].value = value
        } else {
            variables.append((name, value))
        }
    }

    // MARK: Pipelines

    private mutating func evaluate(_ pipe: Pipeline, _ dot: TemplateValue) throws(TemplateError) -> TemplateValue {
        try step()
        place = .pipeline(pipe)
        let result = try nested { evaluator throws(TemplateError) in
            var value: TemplateValue?
            for command in pipe.commands { value = try evaluator.evaluate(command, dot, value) }
            return value ?? .missing
        }
        for name in pipe.variables { set(name, result, pipe.isAssignment) }
        return result
    }

    /// `final` is the value of the command before, the last argument of this one.
    private mutating func evaluate(
        _ command: Command, _ dot: TemplateValue, _ final: TemplateValue?
    ) throws(TemplateError) -> TemplateValue {
        let first = command.arguments[0]
        let arguments = command.arguments.dropFirst()
        switch first {
        case .field(let names, _):
            place = .operand(first)
            return try fields(names, of: dot, arguments, final, dot)
        case .chain(let inner, let names, _):
            place = .operand(first)
            if case .null = inner { throw failure("indirection through explicit nil in \(first)") }
            return try fields(names, of: try argument(inner, .any, dot), arguments, final, dot)
        case .function(let name, _):
            place = .operand(first)
            return try call(name, arguments, final, dot, at: .command(command))
        case .variable(let name, let names, _):
            place = .operand(first)
            let value = try variable(name)
            if names.isEmpty {
                try refuse(arguments, final, of: first)
                return value
            }
            return try fields(names, of: value, arguments, final, dot)
        case .pipeline(let inner):
            try refuse(arguments, final, of: first)
            return try evaluate(inner, dot)
        case .dot, .null, .boolean, .number, .string: break
        }
        place = .operand(first)
        try refuse(arguments, final, of: first)
        switch first {
        case .dot: return dot
        case .boolean(let value, _): return .boolean(value)
        case .number(let number, _): return number.value
        case .string(let text, _, _): return .string(text)
        default: throw failure("nil is not a command")
        }
    }

    private func refuse(
        _ arguments: ArraySlice<Operand>, _ final: TemplateValue?, of operand: Operand
    ) throws(TemplateError) {
        if !arguments.isEmpty || final != nil { throw failure("can't give argument to non-function \(operand)") }
    }

    private func variable(_ name: String) throws(TemplateError) -> TemplateValue {
        guard let found = variables.last(where: { $0.name == name }) else {
            throw failure("undefined variable: \(name)")
        }
        return found.value
    }

    // MARK: Fields

    /// `.a.b.c`: arguments belong to the last.
    private mutating func fields(
        _ names: [String], of receiver: TemplateValue, _ arguments: ArraySlice<Operand>, _ final: TemplateValue?,
        _ dot: TemplateValue
    ) throws(TemplateError) -> TemplateValue {
        var value = receiver
        for name in names.dropLast() { value = try field(name, of: value, [], nil, dot) }
        guard let last = names.last else { return value }
        return try field(last, of: value, arguments, final, dot)
    }

    private mutating func field(
        _ name: String, of receiver: TemplateValue, _ arguments: ArraySlice<Operand>, _ final: TemplateValue?,
        _ dot: TemplateValue
    ) throws(TemplateError) -> TemplateValue {
        let hasArguments = !arguments.isEmpty || final != nil
        switch receiver {
        case .missing: return .missing
        case .null: throw failure("nil pointer evaluating interface {}.\(name)")
        case .object(let object):
            if let method = object.method(name) { return try call(method, name, arguments, final, dot, at: place) }
            if let value = object.field(name) {
                if hasArguments { throw failure("\(name) has arguments but cannot be invoked as function") }
                return value
            }
        case .map(let map):
            if let method = map.methods[name] { return try call(method, name, arguments, final, dot, at: place) }
            if hasArguments { throw failure("\(name) is not a method but has arguments") }
            return map.values[name] ?? map.zero
        default: break
        }
        throw failure("can't evaluate field \(name) in type \(receiver.typeName)")
    }

    // MARK: Calls

    private mutating func call(
        _ name: String, _ arguments: ArraySlice<Operand>, _ final: TemplateValue?, _ dot: TemplateValue,
        at origin: Place
    ) throws(TemplateError) -> TemplateValue {
        if let function = functions[name] { return try call(function, name, arguments, final, dot, at: origin) }
        if name == "and" || name == "or" { return try firstDeciding(name, arguments, final, dot) }
        if name == "call", let operand = arguments.first {
            let value = try argument(operand, .any, dot)
            place = origin
            throw failure("error calling call: non-function \(operand) of type \(value.typeName)")
        }
        guard let function = TemplateBuiltins.function(name, limits) else {
            throw failure("\(QuotedText.go(name)) is not a defined function")
        }
        return try call(function, name, arguments, final, dot, at: origin)
    }

    /// `and`, `or`: arguments are evaluated only until the answer is known.
    private mutating func firstDeciding(
        _ name: String, _ arguments: ArraySlice<Operand>, _ final: TemplateValue?, _ dot: TemplateValue
    ) throws(TemplateError) -> TemplateValue {
        if arguments.isEmpty && final == nil {
            throw failure("wrong number of args for \(name): want at least 1 got 0")
        }
        var value = TemplateValue.missing
        for operand in arguments {
            value = try argument(operand, .any, dot)
            if value.isTrue == (name == "or") { return value }
        }
        return final ?? value
    }

    private mutating func call(
        _ function: TemplateFunction, _ name: String, _ arguments: ArraySlice<Operand>, _ final: TemplateValue?,
        _ dot: TemplateValue, at origin: Place
    ) throws(TemplateError) -> TemplateValue {
        try step()
        let count = arguments.count + (final == nil ? 0 : 1)
        let wanted = function.parameters.count
        if function.rest != nil {
            guard count >= wanted else {
                throw failure("wrong number of args for \(name): want at least \(wanted) got \(count)")
            }
        } else if count != wanted {
            throw failure("wrong number of args for \(name): want \(wanted) got \(count)")
        }
        var values: [TemplateValue] = []
        for operand in arguments { values.append(try argument(operand, function.parameter(values.count), dot)) }
        if let final { values.append(try checked(final, function.parameter(values.count))) }
        do throws(TemplateError) {
            let result = try function.body(values)
            if case .string(let text) = result, text.utf8.count > limits.bytes {
                throw TemplateError("makes more than \(limits.bytes) bytes")
            }
            return result
        } catch {
            place = origin
            throw failure("error calling \(name): \(error.message)")
        }
    }

    // MARK: Arguments

    private mutating func argument(
        _ operand: Operand, _ parameter: TemplateFunction.Parameter, _ dot: TemplateValue
    ) throws(TemplateError) -> TemplateValue {
        place = .operand(operand)
        switch operand {
        case .dot: return try checked(dot, parameter)
        case .null:
            switch parameter {
            case .any, .type: return .null
            default: throw failure("cannot assign nil to \(parameter.name)")
            }
        case .field(let names, _): return try checked(try fields(names, of: dot, [], nil, dot), parameter)
        case .variable(let name, let names, _):
            return try checked(try fields(names, of: try variable(name), [], nil, dot), parameter)
        case .pipeline(let inner): return try checked(try evaluate(inner, dot), parameter)
        case .function(let name, _): return try checked(try call(name, [], nil, dot, at: place), parameter)
        case .chain(let inner, let names, _):
            if case .null = inner { throw failure("indirection through explicit nil in \(operand)") }
            return try checked(try fields(names, of: try argument(inner, .any, dot), [], nil, dot), parameter)
        case .boolean(let value, _):
            switch parameter {
            case .any, .boolean: return .boolean(value)
            default: throw literalFailure(parameter, operand)
            }
        case .string(let text, _, _):
            switch parameter {
            case .any, .string: return .string(text)
            default: throw literalFailure(parameter, operand)
            }
        case .number(let number, _):
            switch parameter {
            case .any: return number.value
            case .integer:
                if let value = number.integer { return .integer(value) }
            case .float:
                if let value = number.float { return .float(value) }
            default: break
            }
            throw literalFailure(parameter, operand)
        }
    }

    private func literalFailure(_ parameter: TemplateFunction.Parameter, _ operand: Operand) -> TemplateError {
        switch parameter {
        case .any: failure("can't handle assignment of \(operand) to empty interface argument")
        case .string: failure("expected string; found \(operand)")
        case .integer: failure("expected integer; found \(operand)")
        case .float: failure("expected float; found \(operand)")
        case .boolean: failure("expected bool; found \(operand)")
        case .type(let name): failure("can't handle \(operand) for arg of type \(name)")
        }
    }

    /// `value` as an argument for `parameter`.
    private func checked(
        _ value: TemplateValue, _ parameter: TemplateFunction.Parameter
    ) throws(TemplateError) -> TemplateValue {
        switch (parameter, value) {
        case (.any, _), (.string, .string), (.integer, .integer), (.float, .float), (.boolean, .boolean): return value
        case (.type(let name), .missing), (.type(let name), .null):
            // A pointer or a list may be nil.
            if name.hasPrefix("*") || name.hasPrefix("[") || name.hasPrefix("map[") { return .null }
        case (.type(let name), _):
            if value.typeName == name { return value }
            if case .object(let object) = value, object.list?.type == name { return value }
        default: break
        }
        switch value {
        case .missing, .null: throw failure("invalid value; expected \(parameter.name)")
        default: throw failure("wrong type for value; expected \(parameter.name); got \(value.typeName)")
        }
    }
}
