/// Bytes as text of 64 characters: RFC 4648.
///
///     "Ma"  →  TWE=      with the URL-safe alphabet `-_` stands for `+/`
public enum Base64 {
    public static func encode(_ bytes: some Collection<UInt8>, isURLSafe: Bool = false) -> String {
        let digits = alphabet(isURLSafe)
        var result: [UInt8] = []
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let group = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            let word = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[$1]) : 0) }
            for place in 0..<4 {
                result.append(place <= group.count ? digits[word >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// `nil`: not base64 with its padding. Line ends are left out, as Go's decoder does.
    public static func decode(_ text: String, isURLSafe: Bool = false) -> [UInt8]? {
        let digits = alphabet(isURLSafe)
        let characters = text.utf8.filter { $0 != 10 && $0 != 13 }
        guard characters.count % 4 == 0 else { return nil }
        let padding = characters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var result: [UInt8] = []
        var (word, count) = (0, 0)
        for character in characters.dropLast(padding) {
            guard let value = digits.firstIndex(of: character) else { return nil }
            word = (word << 6 | value) & 0xff_ffff
            count += 1
            if count % 4 == 0 { result += [UInt8(word >> 16), UInt8(word >> 8 & 255), UInt8(word & 255)] }
        }
        if padding == 1 { result += [UInt8(word >> 10 & 255), UInt8(word >> 2 & 255)] }
        if padding == 2 { result.append(UInt8(word >> 4 & 255)) }
        return result
    }

    private static func alphabet(_ isURLSafe: Bool) -> [UInt8] {
        Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + (isURLSafe ? "-_" : "+/")).utf8)
    }
}
