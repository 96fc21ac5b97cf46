/// One match of a whole text, with what its groups took.
public struct Captures: Sendable, Equatable {
    public let text: String
    /// Names of the groups, `""` for those without.
    public let groupNames: [String]
    /// UTF-8 offsets, two per group; -1 where the group took no part.
    private let bounds: [Int]

    init(text: String, groupNames: [String], bounds: [Int]) {
        self.text = text
        self.groupNames = groupNames
        self.bounds = bounds
    }

    /// Groups, the whole match (number 0) included.
    public var count: Int { bounds.count / 2 }

    /// What a group took; nil if it took no part, or if there is no such group.
    public subscript(group: Int) -> Substring? {
        guard group >= 0, group < count, bounds[2 * group] >= 0, bounds[2 * group + 1] >= bounds[2 * group] else {
            return nil
        }
        let utf8 = text.utf8
        let lower = utf8.index(utf8.startIndex, offsetBy: bounds[2 * group])
        let upper = utf8.index(lower, offsetBy: bounds[2 * group + 1] - bounds[2 * group])
        return text[lower..<upper]
    }

    /// What the first group of this name that took part took.
    public subscript(name: String) -> Substring? {
        for group in groupNames.indices.dropFirst() where groupNames[group] == name {
            if let taken = self[group] { return taken }
        }
        return nil
    }

    /// Fills a template in: `$1`, `${1}`, `$name`, `${name}`, `$$`.
    ///
    ///     "$1x"   the group called “1x”, not group 1: the longest name counts; write ${1}x
    ///     "$9"    nothing, if there is no such group
    ///     "$-"    itself: not a reference
    ///
    /// As Go's `Regexp.Expand`.
    public func expand(template: String) -> String {
        var result = ""
        var rest = template.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "$" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            if rest.first == "$" {
                rest.removeFirst()
                result.unicodeScalars.append("$")
            } else if let (name, after) = Self.reference(rest) {
                result += (Self.groupNumber(name).map { self[$0] } ?? self[name]) ?? ""
                rest = after
            } else {
                result.unicodeScalars.append("$")
            }
        }
        return result
    }

    /// `name…` or `{name}…` → the name and what follows.
    private static func reference(
        _ text: Substring.UnicodeScalarView
    ) -> (name: String, rest: Substring.UnicodeScalarView)? {
        var rest = text
        let isBraced = rest.first == "{"
        if isBraced { rest.removeFirst() }
        let name = rest.prefix { scalar in
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber: true
            default: scalar == "_"
            }
        }
        guard !name.isEmpty else { return nil }
        rest = rest[name.endIndex...]
        if isBraced {
            guard rest.first == "}" else { return nil }
            rest.removeFirst()
        }
        return (String(name), rest)
    }

    /// A group's number: decimal digits, without a leading zero. Anything else is a name.
    private static func groupNumber(_ name: String) -> Int? {
        guard name.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        if name.utf8.count > 1, name.utf8.first == 0x30 { return nil }
        return name.utf8.count > 9 ? nil : Int(name)
    }
}
