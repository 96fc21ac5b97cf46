/// Names with values, sorted by name: labels and annotations as the bot has them, a few per alert.
///
/// Invariant: names are unique.
public struct Pairs: Equatable, Sendable {
    public struct Pair: Equatable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var all: [Pair] = []

    public init() {}

    /// Of equal names the last stands.
    public init(_ pairs: [Pair]) {
        for pair in pairs.sorted(by: { $0.name < $1.name }) {
            if all.last?.name == pair.name { all.removeLast() }
            all.append(pair)
        }
    }

    public var isEmpty: Bool { all.isEmpty }

    public subscript(name: String) -> String? { all.first { $0.name == name }?.value }
}

extension Pairs: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) { self.init(elements.map { Pair($0.0, $0.1) }) }
}
