/// Expression text → syntax tree, in RE2's syntax as Go's `regexp/syntax` accepts it.
///
///     alternation    = concatenation { "|" concatenation }
///     concatenation  = { atom [ "*" | "+" | "?" | "{n}" | "{n,}" | "{n,m}" ] [ "?" ] }
///     atom           = "(" … ")" | "[" … "]" | "." | "^" | "$" | escape | character
///
/// Open groups stand on a stack of our own, so that depth costs memory and not the thread's stack.
/// Which text is refused, and in which words, follows Go: queries and configurations are judged alike.
struct Parser {
    struct Flags: OptionSet {
        var rawValue: UInt8
        static let foldCase = Flags(rawValue: 1)  // (?i)
        static let multiLine = Flags(rawValue: 2)  // (?m)
        static let dotMatchesNewline = Flags(rawValue: 4)  // (?s)
        static let ungreedy = Flags(rawValue: 8)  // (?U)
    }

    /// A group that is not closed yet.
    private struct OpenGroup {
        var number: Int?
        var flagsOutside: Flags
        var branches: [SyntaxTree.NodeID] = []
        var items: [SyntaxTree.NodeID] = []
    }

    /// Instructions after compilation. Beyond it one matched character could cost milliseconds.
    static let maximumSize = 10_000
    /// Ranges in all distinct sets together (`\pL` has about 650); bounds the alphabet.
    static let maximumRanges = 30_000
    /// Go's limit on nesting; what works on the tree recursively is this deep at most.
    static let maximumHeight = 1000
    /// Go's limit on `{n,m}`.
    static let maximumRepeat = 1000

    let text: [UInt8]
    var position = 0
    var flags: Flags
    var tree = SyntaxTree()
    private var outer: [OpenGroup] = []
    private var group = OpenGroup(number: nil, flagsOutside: [])

    init(_ text: String, flags: Flags) {
        self.text = Array(text.utf8)
        self.flags = flags
    }

    /// The tree, or what is wrong. Does not check `maximumSize`: who compiles does.
    consuming func parse() throws(PatternError) -> SyntaxTree {
        /// Where the operator began that has just been applied; a second one right behind it is an error.
        var lastOperator: Int?
        while let byte = peek {
            let start = position
            var thisOperator: Int?
            switch byte {
            case UInt8(ascii: "("): try openGroup()
            case UInt8(ascii: "|"):
                position += 1
                endBranch()
            case UInt8(ascii: ")"): try closeGroup()
            case UInt8(ascii: "^"):
                position += 1
                try push(.assertion(flags.contains(.multiLine) ? .beginLine : .beginText))
            case UInt8(ascii: "$"):
                position += 1
                try push(.assertion(flags.contains(.multiLine) ? .endLine : .endText))
            case UInt8(ascii: "."):
                position += 1
                try push(flags.contains(.dotMatchesNewline) ? .all : ScalarSet.newline.inverted)
            case UInt8(ascii: "["): try push(try characterClass())
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
                position += 1
                thisOperator = start
                try applyRepetition(
                    from: start, lastOperator, minimum: byte == UInt8(ascii: "+") ? 1 : 0,
                    maximum: byte == UInt8(ascii: "?") ? 1 : nil, counted: false)
            case UInt8(ascii: "{"):
                if let (minimum, maximum) = try repeatCounts() {
                    thisOperator = start
                    try applyRepetition(
                        from: start, lastOperator, minimum: minimum, maximum: maximum, counted: true)
                } else {
                    position += 1
                    try pushLiteral(UInt32(byte))
                }
            case UInt8(ascii: "\\"): try escapeOutsideClass()
            default: try pushLiteral(nextScalar())
            }
            lastOperator = thisOperator
        }
        guard outer.isEmpty else { throw error(.missingParenthesis, 0..<text.count) }
        tree.root = try closedAlternation()
        return tree
    }

    // MARK: Items

    private mutating func push(_ node: SyntaxTree.Node) throws(PatternError) {
        let added = tree.add(node)
        group.items.append(try checked(added))
    }

    private mutating func push(_ set: ScalarSet) throws(PatternError) {
        group.items.append(tree.add(set))
        if tree.rangeCount > Self.maximumRanges { throw error(.tooLarge, 0..<text.count) }
    }

    private mutating func pushLiteral(_ scalar: UInt32) throws(PatternError) {
        let set = ScalarSet(scalar)
        try push(flags.contains(.foldCase) ? CaseFolding.folded(set) : set)
    }

    private func checked(_ node: SyntaxTree.NodeID) throws(PatternError) -> SyntaxTree.NodeID {
        if tree.height(node) > Self.maximumHeight { throw error(.nestingDepth, 0..<text.count) }
        return node
    }

    /// `\A \b \B \z \Q…\E`, or a set, or a character.
    private mutating func escapeOutsideClass() throws(PatternError) {
        let letter = position + 1 < text.count ? text[position + 1] : 0
        let assertion: Assertion? =
            switch letter {
            case UInt8(ascii: "A"): .beginText
            case UInt8(ascii: "z"): .endText
            case UInt8(ascii: "b"): .wordBoundary
            case UInt8(ascii: "B"): .notWordBoundary
            default: nil
            }
        if let assertion {
            position += 2
            try push(.assertion(assertion))
        } else if letter == UInt8(ascii: "C") {
            throw error(.invalidEscape, position..<position + 2)
        } else if letter == UInt8(ascii: "Q") {
            position += 2
            while peek != nil {
                if startsWith("\\E") {
                    position += 2
                    return
                }
                try pushLiteral(nextScalar())
            }
        } else if let set = try unicodeClass() {
            try push(set)
        } else if let set = perlClass() {
            try push(set)
        } else {
            try pushLiteral(try escapedScalar())
        }
    }

    // MARK: Repetition

    /// Repeats the newest item. The operator stands at `start ..< position`; a `?` behind it makes it lazy.
    private mutating func applyRepetition(
        from start: Int, _ lastOperator: Int?, minimum: Int, maximum: Int?, counted: Bool
    ) throws(PatternError) {
        var greedy = !flags.contains(.ungreedy)
        if peek == UInt8(ascii: "?") {
            position += 1
            greedy.toggle()
        }
        if let lastOperator { throw error(.nestedRepetition, lastOperator..<position) }
        guard let item = group.items.popLast() else { throw error(.missingRepetitionArgument, start..<position) }
        let node = tree.add(
            .repetition(item, minimum: minimum, maximum: maximum, greedy: greedy), counted: counted)
        group.items.append(try checked(node))
        if counted, minimum >= 2 || (maximum ?? 0) >= 2, tree.repeatProduct(node) > Self.maximumRepeat {
            throw error(.invalidRepeatCount, start..<position)
        }
    }

    /// `{n}`, `{n,}` or `{n,m}`, consumed; nil, and nothing consumed, where the brace is an ordinary character.
    private mutating func repeatCounts() throws(PatternError) -> (Int, Int?)? {
        let start = position
        position += 1
        guard let minimum = decimal() else { return abandon(start) }
        var maximum: Int? = minimum
        if peek == UInt8(ascii: ",") {
            position += 1
            maximum = nil
            if peek != UInt8(ascii: "}") {
                guard let number = decimal() else { return abandon(start) }
                maximum = number
            }
        }
        guard peek == UInt8(ascii: "}") else { return abandon(start) }
        position += 1
        let highest = max(minimum, maximum ?? 0)
        if highest > Self.maximumRepeat || minimum > maximum ?? highest {
            throw error(.invalidRepeatCount, start..<position)
        }
        return (minimum, maximum)
    }

    private mutating func abandon(_ start: Int) -> (Int, Int?)? {
        position = start
        return nil
    }

    /// Digits without a leading zero; large numbers come out as 10⁸ or so, not exact, which is too large anyhow.
    private mutating func decimal() -> Int? {
        let start = position
        var number = 0
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            if number < 100_000_000 { number = number * 10 + Int(byte - UInt8(ascii: "0")) }
            position += 1
        }
        let digits = position - start
        return digits == 0 || (digits > 1 && text[start] == UInt8(ascii: "0")) ? nil : number
    }

    // MARK: Groups

    /// `(`, `(?:`, `(?i)`, `(?i:`, `(?P<name>`, `(?<name>`.
    private mutating func openGroup() throws(PatternError) {
        let start = position
        guard startsWith("(?") else {
            position += 1
            open(number: newGroup(""), flagsOutside: flags)
            return
        }
        for opening in ["(?P<", "(?<"] where startsWith(opening) && position + opening.utf8.count < text.count {
            guard let end = text[position...].firstIndex(of: UInt8(ascii: ">")) else {
                throw error(.invalidNamedCapture, start..<text.count)
            }
            let name = text[(position + opening.utf8.count)..<end]
            guard !name.isEmpty, name.allSatisfy({ $0 == UInt8(ascii: "_") || isAlphanumeric(UInt32($0)) }) else {
                throw error(.invalidNamedCapture, start..<end + 1)
            }
            position = end + 1
            open(number: newGroup(String(decoding: name, as: UTF8.self)), flagsOutside: flags)
            return
        }
        position += 2
        var changed = flags
        var adding = true
        var sawFlag = false
        while peek != nil {
            let scalar = nextScalar()
            let flag: Flags? =
                switch scalar {
                case 0x69: .foldCase  // i
                case 0x6D: .multiLine  // m
                case 0x73: .dotMatchesNewline  // s
                case 0x55: .ungreedy  // U
                default: nil
                }
            if let flag {
                if adding { changed.insert(flag) } else { changed.remove(flag) }
                sawFlag = true
            } else if scalar == 0x2D, adding {  // -
                adding = false
                sawFlag = false
            } else if scalar == 0x3A || scalar == 0x29, adding || sawFlag {  // : or )
                if scalar == 0x3A { open(number: nil, flagsOutside: flags) }
                flags = changed
                return
            } else {
                break
            }
        }
        throw error(.invalidPerlSyntax, start..<position)
    }

    private mutating func newGroup(_ name: String) -> Int {
        tree.groupNames.append(name)
        return tree.groupNames.count - 1
    }

    private mutating func open(number: Int?, flagsOutside: Flags) {
        outer.append(group)
        group = OpenGroup(number: number, flagsOutside: flagsOutside)
    }

    private mutating func closeGroup() throws(PatternError) {
        position += 1
        guard !outer.isEmpty else { throw error(.unexpectedParenthesis, 0..<text.count) }
        var node = try closedAlternation()
        if let number = group.number {
            node = tree.add(.capture(node, group: number))
            node = try checked(node)
        }
        flags = group.flagsOutside
        group = outer.removeLast()
        group.items.append(node)
    }

    /// Ends a branch at `|` or at the end of the group.
    private mutating func endBranch() {
        let branch =
            switch group.items.count {
            case 0: tree.add(.empty)
            case 1: group.items[0]
            default: tree.add(.concatenation(group.items))
            }
        group.items.removeAll()
        group.branches.append(branch)
    }

    private mutating func closedAlternation() throws(PatternError) -> SyntaxTree.NodeID {
        endBranch()
        mergeSets()
        let node = group.branches.count == 1 ? group.branches[0] : tree.add(.alternation(group.branches))
        if tree.rangeCount > Self.maximumRanges { throw error(.tooLarge, 0..<text.count) }
        return try checked(node)
    }

    /// a|b → [ab]: neighbouring branches of one code point each are one set, whichever came first.
    private mutating func mergeSets() {
        var merged: [SyntaxTree.NodeID] = []
        var run: [ClosedRange<UInt32>] = []
        var runStart = 0
        for (index, branch) in group.branches.enumerated() {
            if let set = tree.set(of: branch) {
                if run.isEmpty { runStart = index }
                run += set.ranges
                if index + 1 < group.branches.count, tree.set(of: group.branches[index + 1]) != nil { continue }
                merged.append(index == runStart ? branch : tree.add(ScalarSet(run)))
                run.removeAll()
            } else {
                merged.append(branch)
            }
        }
        group.branches = merged
    }
}
