/// What a mail server answers to a command.
///
///     250-mail.example.org        250: code     lines go on while a `-` follows the code
///     250-STARTTLS
///     250 AUTH PLAIN LOGIN
///
/// Source: RFC 5321 §4.2.
struct SMTPAnswer: Equatable {
    /// Bytes of one answer; a server that says more is none.
    static let maximumBytes = 64 << 10

    var code: Int
    var lines: [String]

    var text: String { lines.joined(separator: "\n") }

    /// `LOGIN PLAIN` for `AUTH`: the parameters of an extension, where the server has it.
    func parameters(of name: String) -> String? {
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", maxSplits: 1)
            if let first = words.first, first.uppercased() == name { return words.count > 1 ? String(words[1]) : "" }
            // An old way of writing it.
            if line.uppercased().hasPrefix(name + "=") { return String(line.dropFirst(name.count + 1)) }
        }
        return nil
    }
}

/// Puts answers together from bytes as they come.
struct SMTPAnswerReader {
    private(set) var bytes: [UInt8] = []
    private var lines: [String] = []
    private var size = 0

    /// Whether anything came behind the last answer.
    var hasRest: Bool { !bytes.isEmpty || !lines.isEmpty }

    mutating func feed(_ more: some Sequence<UInt8>) { bytes += more }

    /// The next whole answer; `nil`: more bytes are needed.
    mutating func next() throws(SMTPError) -> SMTPAnswer? {
        while let end = bytes.firstIndex(of: 10) {
            var line = bytes[..<end]
            if line.last == 13 { line = line.dropLast() }
            let text = String(decoding: line, as: UTF8.self)
            bytes.removeSubrange(...end)
            size += line.count + 2
            guard size <= SMTPAnswer.maximumBytes else {
                throw SMTPError("an answer of more than \(SMTPAnswer.maximumBytes) bytes")
            }
            let digits = text.utf8.prefix(3)
            guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }), let code = Int(text.prefix(3))
            else {
                throw SMTPError("malformed answer \"\(text.prefix(100))\"")
            }
            let rest = text.dropFirst(3)
            lines.append(String(rest.dropFirst()))
            if rest.first == "-" { continue }
            defer { (lines, size) = ([], 0) }
            return SMTPAnswer(code: code, lines: lines)
        }
        guard bytes.count <= SMTPAnswer.maximumBytes else {
            throw SMTPError("an answer of more than \(SMTPAnswer.maximumBytes) bytes")
        }
        return nil
    }
}

/// What a mail server did that it should not, or said no to.
struct SMTPError: Error, Equatable {
    var message: String
    init(_ message: String) { self.message = message }
}

/// Lines that begin with a dot get another one, and a lone dot ends the mail: RFC 5321 §4.5.2.
enum DotStuffing {
    static func stuffed(_ message: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(message.count + 8)
        var isLineStart = true
        for byte in message {
            if isLineStart && byte == UInt8(ascii: ".") { result.append(byte) }
            result.append(byte)
            isLineStart = byte == 10
        }
        if !isLineStart { result += [13, 10] }
        return result + Array(".\r\n".utf8)
    }
}
