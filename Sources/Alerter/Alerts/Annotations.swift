/// Named texts in the order of their names. Unlike labels they may be empty.
public struct Annotations: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    public private(set) var pairs: [Pair] = []

    public struct Pair: Sendable, Hashable {
        public var name: String
        public var value: String
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Of equal names the last one wins.
    public init(_ pairs: some Sequence<(name: String, value: String)> = []) {
        for pair in pairs { self[pair.name] = pair.value }
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        for element in elements { self[element.0] = element.1 }
    }

    public var isEmpty: Bool { pairs.isEmpty }

    /// `nil` removes.
    public subscript(name: String) -> String? {
        get { pairs.first { $0.name == name }?.value }
        set {
            let index = pairs.firstIndex { !$0.name.utf8.lexicographicallyPrecedes(name.utf8) } ?? pairs.count
            let exists = index < pairs.count && pairs[index].name == name
            if let newValue {
                if exists { pairs[index].value = newValue } else { pairs.insert(Pair(name, newValue), at: index) }
            } else if exists {
                pairs.remove(at: index)
            }
        }
    }
}
