/// The keyed digest over SHA-256: links that only we can have made.
///
///     digest(key ⊕ 5c…5c ‖ digest(key ⊕ 36…36 ‖ message))
///
/// Source: RFC 2104.
public enum HMAC {
    public static func sha256(_ message: some Collection<UInt8>, key: some Collection<UInt8>) -> [UInt8] {
        var block = key.count > 64 ? SHA256.digest(key) : Array(key)
        block += [UInt8](repeating: 0, count: 64 - block.count)
        return SHA256.digest(block.map { $0 ^ 0x5c } + SHA256.digest(block.map { $0 ^ 0x36 } + Array(message)))
    }

    /// Whether two byte strings are equal, in a time that depends on their lengths only.
    public static func areEqual(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
