/// A JSON document as a tree, for small ones whose shape is not known before: a dashboard, a list of names.
///
/// Members keep their order; of equal names `subscript` finds the first.
public enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    public struct Member: Equatable, Sendable {
        public var name: String
        public var value: JSONValue

        public init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Reads one whole document.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var reader = JSONReader(bytes)
        self = try JSONValue(&reader)
        try reader.finish()
    }

    public init(parsing text: String) throws(JSONError) {
        var text = text
        self = try text.withUTF8 { bytes in
            Result { () throws(JSONError) in try JSONValue(parsing: UnsafeRawBufferPointer(bytes)) }
        }.get()
    }

    /// Reads the next value.
    public init(_ reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .null:
            try reader.null()
            self = .null
        case .bool: self = .bool(try reader.bool())
        case .number: self = .number(try reader.number())
        case .string: self = .string(try reader.string())
        case .array:
            var elements: [JSONValue] = []
            try reader.beginArray()
            while try reader.nextElement() { elements.append(try JSONValue(&reader)) }
            self = .array(elements)
        case .object:
            var members: [Member] = []
            try reader.beginObject()
            while let name = try reader.nextKey() { members.append(Member(name: name, value: try JSONValue(&reader))) }
            self = .object(members)
        }
    }

    /// The member of an object; `nil` where there is none, or no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    public var number: Double? {
        if case .number(let value) = self { value } else { nil }
    }

    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements of an array; none where it is no array.
    public var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }
}
