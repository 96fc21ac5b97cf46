import Numbers

/// The functions that every Go template has.
///
///     and or not   len index slice   print printf println   html js urlquery   eq ne lt le gt ge
///
/// `and` and `or` evaluate their arguments one by one, and `call` refuses everything, for templates here hold no function
/// values: the evaluator does these three.
/// Source: documentation of Go's `text/template`, “Functions”.
enum TemplateBuiltins {
    static let names: Set<String> = [
        "and", "or", "not", "call", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery",
        "eq",
        "ne", "lt", "le", "gt", "ge",
    ]

    static func function(_ name: String, _ limits: TextTemplate.Limits) -> TemplateFunction? {
        switch name {
        case "not": return TemplateFunction([.any]) { arguments in .boolean(!arguments[0].isTrue) }
        case "call": return TemplateFunction([.any], rest: .any) { $0[0] }
        case "len": return TemplateFunction([.any]) { arguments throws(TemplateError) in try length(arguments[0]) }
        case "index":
            return TemplateFunction([.any], rest: .any) { arguments throws(TemplateError) in
                var item = arguments[0]
                for key in arguments.dropFirst() { item = try element(of: item, key) }
                return item
            }
        case "slice":
            return TemplateFunction([.any], rest: .any) { arguments throws(TemplateError) in
                try part(of: arguments[0], arguments.dropFirst())
            }
        case "print": return TemplateFunction(rest: .any) { .string(Printf.print($0)) }
        case "println": return TemplateFunction(rest: .any) { .string(Printf.printLine($0)) }
        case "printf":
            return TemplateFunction([.string], rest: .any) { arguments throws(TemplateError) in
                guard case .string(let format) = arguments[0] else { throw TemplateError("a format is a string") }
                return .string(try Printf.format(format, Array(arguments.dropFirst()), maximumBytes: limits.bytes))
            }
        case "html": return TemplateFunction(rest: .any) { .string(Escaping.html(Printf.joined($0))) }
        case "js": return TemplateFunction(rest: .any) { .string(Escaping.javaScript(Printf.joined($0))) }
        case "urlquery": return TemplateFunction(rest: .any) { .string(Escaping.urlQuery(Printf.joined($0))) }
        case "eq":
            return TemplateFunction([.any], rest: .any) { arguments throws(TemplateError) in
                guard arguments.count > 1 else { throw TemplateError("missing argument for comparison") }
                for other in arguments.dropFirst() where try areEqual(arguments[0], other) { return .boolean(true) }
                return .boolean(false)
            }
        case "ne":
            return TemplateFunction([.any, .any]) { arguments throws(TemplateError) in
                .boolean(!(try areEqual(arguments[0], arguments[1])))
            }
        case "lt": return comparison { $0 < 0 }
        case "le": return comparison { $0 <= 0 }
        case "gt": return comparison { $0 > 0 }
        case "ge": return comparison { $0 >= 0 }
        default: return nil
        }
    }

    // MARK: Parts

    private static func length(_ value: TemplateValue) throws(TemplateError) -> TemplateValue {
        switch value {
        case .string(let text): return .integer(Int64(text.utf8.count))
        case .list(let elements, _): return .integer(Int64(elements.count))
        case .map(let map): return .integer(Int64(map.values.count))
        case .missing, .null: throw TemplateError("reflect: call of reflect.Value.Type on zero Value")
        case .object(let object) where object.list != nil: return .integer(Int64(object.list?.elements.count ?? 0))
        default: throw TemplateError("len of type \(value.typeName)")
        }
    }

    private static func element(of item: TemplateValue, _ key: TemplateValue) throws(TemplateError) -> TemplateValue {
        if let elements = item.elements { return elements[try index(key, below: elements.count)] }
        switch item {
        case .string(let text):
            let bytes = text.utf8
            let place = try index(key, below: bytes.count)
            return .integer(Int64(bytes[bytes.index(bytes.startIndex, offsetBy: place)]))
        case .map(let map):
            guard case .string(let name) = key else {
                if case .null = key { throw TemplateError("value is nil; should be of type string") }
                throw TemplateError("value has type \(key.typeName); should be string")
            }
            return map.values[name] ?? map.zero
        case .missing, .null: throw TemplateError("index of untyped nil")
        default: throw TemplateError("can't index item of type \(item.typeName)")
        }
    }

    private static func index(_ key: TemplateValue, below count: Int) throws(TemplateError) -> Int {
        let value = try integer(key)
        guard value >= 0 && value < Int64(count) else { throw TemplateError("index out of range: \(value)") }
        return Int(value)
    }

    private static func integer(_ key: TemplateValue) throws(TemplateError) -> Int64 {
        switch key {
        case .integer(let value): return value
        case .missing, .null: throw TemplateError("cannot index slice/array with nil")
        default: throw TemplateError("cannot index slice/array with type \(key.typeName)")
        }
    }

    private static func part(
        of item: TemplateValue, _ bounds: ArraySlice<TemplateValue>
    ) throws(TemplateError) -> TemplateValue {
        var item = item
        if case .object(let object) = item, let list = object.list { item = .list(list.elements, type: object.typeName) }
        let count: Int
        switch item {
        case .string(let text):
            if bounds.count == 3 { throw TemplateError("cannot 3-index slice a string") }
            count = text.utf8.count
        case .list(let elements, _): count = elements.count
        case .missing, .null: throw TemplateError("slice of untyped nil")
        default: throw TemplateError("can't slice item of type \(item.typeName)")
        }
        if bounds.count > 3 { throw TemplateError("too many slice indexes: \(bounds.count)") }
        var places = [0, count]
        for (offset, bound) in bounds.enumerated() where offset < 2 {
            let place = try integer(bound)
            guard place >= 0 && place <= Int64(count) else { throw TemplateError("index out of range: \(place)") }
            places[offset] = Int(place)
        }
        guard places[0] <= places[1] else {
            throw TemplateError("invalid slice index: \(places[0]) > \(places[1])")
        }
        switch item {
        case .list(let elements, let type): return .list(Array(elements[places[0]..<places[1]]), type: type)
        case .string(let text): return .string(String(decoding: Array(text.utf8)[places[0]..<places[1]], as: UTF8.self))
        default: return .missing
        }
    }

    // MARK: Comparing

    private static func incompatible(_ a: TemplateValue, _ b: TemplateValue) -> TemplateError {
        TemplateError("incompatible types for comparison: \(a.typeName) and \(b.typeName)")
    }

    private static let invalid = TemplateError("invalid type for comparison")

    private static func areEqual(_ a: TemplateValue, _ b: TemplateValue) throws(TemplateError) -> Bool {
        switch (a, b) {
        case (.boolean(let a), .boolean(let b)): return a == b
        case (.integer(let a), .integer(let b)): return a == b
        case (.float(let a), .float(let b)): return a == b
        case (.string(let a), .string(let b)): return a.utf8.elementsEqual(b.utf8)
        case (.missing, .missing), (.null, .null), (.missing, .null), (.null, .missing): return true
        case (.missing, _), (.null, _), (_, .missing), (_, .null): return false
        case (.object(let a), .object(let b)):
            guard let left = a.identity, let right = b.identity else {
                throw TemplateError("non-comparable type \(a.text): \(a.typeName)")
            }
            return a.typeName == b.typeName && left == right
        case (.list, .list), (.map, .map): throw TemplateError("non-comparable type \(a.text): \(a.typeName)")
        default: throw incompatible(a, b)
        }
    }

    /// `holds` gets −1, 0 or 1; comparisons with NaN do not hold.
    private static func comparison(_ holds: @escaping @Sendable (Int) -> Bool) -> TemplateFunction {
        TemplateFunction([.any, .any]) { arguments throws(TemplateError) in
            switch (arguments[0], arguments[1]) {
            case (.integer(let a), .integer(let b)): return .boolean(holds(a < b ? -1 : a > b ? 1 : 0))
            case (.float(let a), .float(let b)):
                if a.isNaN || b.isNaN { return .boolean(false) }
                return .boolean(holds(a < b ? -1 : a > b ? 1 : 0))
            case (.string(let a), .string(let b)):
                if a.utf8.elementsEqual(b.utf8) { return .boolean(holds(0)) }
                return .boolean(holds(a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1))
            case (.boolean, .boolean): throw invalid
            case (let a, let b):
                guard isBasic(a), isBasic(b) else { throw invalid }
                throw incompatible(a, b)
            }
        }
    }

    private static func isBasic(_ value: TemplateValue) -> Bool {
        switch value {
        case .boolean, .integer, .float, .string: true
        default: false
        }
    }
}
