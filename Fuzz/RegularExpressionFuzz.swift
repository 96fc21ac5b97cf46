/// Fuzzes expressions and texts: nothing traps, and the ways to match agree with each other.
///
///     swiftc -O -parse-as-library -sanitize=fuzzer Sources/Leaves/RegularExpression/*.swift Fuzz/RegularExpressionFuzz.swift -o fuzz
///     SWIFT_BACKTRACE=enable=no timeout 70 ./fuzz -max_total_time=60 -max_len=200
///
/// The input is an expression, a newline, and a text.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRegularExpression(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    let end = input.firstIndex(of: UInt8(ascii: "\n")) ?? count
    let source = String(decoding: input[..<end], as: UTF8.self)
    let text = Array(input[min(end + 1, count)...])
    _ = try? Pattern(wrapping: source)
    guard let pattern = try? Pattern(source), let tree = try? Parser(source, flags: .dotMatchesNewline).parse() else {
        return 0
    }
    text.withUnsafeBytes { bytes in
        let answer = pattern.matches(bytes)
        if tree.size(tree.root) < Parser.maximumSize {
            let automaton = Automaton(tree)
            precondition(automaton.matches(bytes) == answer, "the automaton disagrees on \(source)")
            precondition((automaton.captures(bytes) != nil) == answer, "the captures disagree on \(source)")
        }
        if answer { precondition(text.starts(with: pattern.prefix.utf8), "prefix of \(source)") }
        if let literals = pattern.literals {
            precondition(literals.contains { Array($0.utf8) == text } == answer, "literals of \(source)")
        }
    }
    let valid = String(decoding: text, as: UTF8.self)
    _ = pattern.captures(in: valid)?.expand(template: valid + source)
    return 0
}
