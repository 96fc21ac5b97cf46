import Digest
import TSDB

/// Links that let one human decide one step of one incident, once.
///
///     /approve/5b1e0c9a7d44e2f1-0?sig=kq3v…        sig = HMAC-SHA256(key, "approve" ‖ id ‖ until)
///
/// The signature binds the link to the step and to its expiry; that it works once is the incident's phase. A `GET` only asks, so
/// that whoever previews links in a chat decides nothing.
public struct Approvals: Sendable {
    public enum Verdict: String, Sendable { case approve, deny }

    public enum Answer: Equatable, Sendable {
        case done(Verdict)
        /// The signature is not ours.
        case forged
        case expired
        /// Somebody has decided, or the alert is over.
        case tooLate
        case unknown
    }

    private let key: [UInt8]

    public init(key: [UInt8]) { self.key = key }

    public static func id(incident: String, step: Int) -> String { "\(incident)-\(step)" }

    static func parse(_ id: String) -> (incident: String, step: Int)? {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let step = Int(parts[1]), step >= 0 else { return nil }
        return (String(parts[0]), step)
    }

    public func signature(_ id: String, until: Timestamp) -> String {
        let message = "approve\n\(id)\n\(until.milliseconds)"
        return Base64.encode(HMAC.sha256(message.utf8, key: key), isURLSafe: true).filter { $0 != "=" }
    }

    func isValid(_ signature: String, _ id: String, until: Timestamp) -> Bool {
        HMAC.areEqual(self.signature(id, until: until).utf8, signature.utf8)
    }

    /// Path and query below the bot's address.
    public func link(_ id: String, until: Timestamp) -> String { "/approve/\(id)?sig=\(signature(id, until: until))" }
}
