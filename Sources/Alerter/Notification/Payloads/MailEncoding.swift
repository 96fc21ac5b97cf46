/// How text travels in mails: RFC 2045 §6.7 (bodies) and RFC 2047 (headers).
///
///     é = ü   →  =C3=A9 =3D =C3=BC            quoted-printable, lines of at most 76 characters
///     é ü     →  =?utf-8?q?=C3=A9_=C3=BC?=    in a header
enum MailEncoding {
    private static let lineLength = 76

    /// Line ends become CR LF, whatever they were.
    static func quotedPrintable(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        var line: [UInt8] = []
        func put(_ piece: [UInt8]) {
            // One place is kept for the soft break's `=`.
            if line.count + piece.count > lineLength - 1 {
                result += line + Array("=\r\n".utf8)
                line = []
            }
            line += piece
        }
        func endLine() {
            // Servers may take away spaces at a line's end.
            if let last = line.last, last == 32 || last == 9 {
                line.removeLast()
                put(escaped(last))
            }
            result += line
            line = []
        }
        var wasReturn = false
        for byte in text.utf8 {
            if byte == 10 || byte == 13 {
                if !(wasReturn && byte == 10) {
                    endLine()
                    result += [13, 10]
                }
                wasReturn = byte == 13
                continue
            }
            wasReturn = false
            let isPlain = ((0x21...0x7e).contains(byte) && byte != UInt8(ascii: "=")) || byte == 32 || byte == 9
            put(isPlain ? [byte] : escaped(byte))
        }
        endLine()
        return result
    }

    /// A header's value: encoded where it has anything but printable ASCII. So a line's end can never be in it.
    static func header(_ value: String) -> String {
        guard value.utf8.contains(where: { !((0x20...0x7e).contains($0) || $0 == 9) }) else { return value }
        let open = "=?utf-8?q?"
        /// An encoded word has at most 75 characters.
        let room = 75 - open.utf8.count - 2
        var words: [String] = []
        var word = ""
        for scalar in value.unicodeScalars {
            let piece = headerPiece(scalar)
            if word.utf8.count + piece.utf8.count > room {
                words.append(word)
                word = ""
            }
            word += piece
        }
        words.append(word)
        return words.map { open + $0 + "?=" }.joined(separator: " ")
    }

    private static func headerPiece(_ scalar: Unicode.Scalar) -> String {
        if scalar == " " { return "_" }
        if (0x21...0x7e).contains(scalar.value), scalar != "=", scalar != "?", scalar != "_" { return String(scalar) }
        return String(decoding: String(scalar).utf8.flatMap(escaped), as: UTF8.self)
    }

    /// `=C3`
    private static func escaped(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
