import Alerter
import Synchronization

/// Why an attempt to notify did not succeed: the metric's word, a sentence, and whether trying again may help.
package struct AttemptError: Error, Equatable {
    /// The words of `alertmanager_notifications_failed_total`.
    package enum Reason: String {
        case other, clientError, serverError, contextCanceled, contextDeadlineExceeded
    }

    package var reason: Reason
    package var message: String
    package var isRetryable: Bool

    package init(_ reason: Reason = .other, _ message: String, isRetryable: Bool) {
        self.reason = reason
        self.message = message
        self.isRetryable = isRetryable
    }

    var outcome: NotificationOutcome { .failed(reason: reason.rawValue, message: message, isRetryable: isRetryable) }
}

/// What went over the wire in one attempt, for people: secrets are not in it.
final class Exchange: Sendable {
    /// Longer texts are cut.
    static let maximumBytes = 64 << 10

    private struct State {
        var text = ""
        var secrets: [String] = []
    }

    private let state = Mutex(State())

    var text: String { state.withLock { $0.text } }

    /// From now on it must not be seen. Short ones would hide half the text.
    func hide(_ secret: String) {
        guard secret.utf8.count > 2 else { return }
        state.withLock { state in
            state.secrets.append(secret)
            // A secret may hold another one.
            state.secrets.sort { $0.utf8.count > $1.utf8.count }
        }
    }

    func add(_ line: String) {
        let shown = redacted(line)
        state.withLock { state in
            guard state.text.utf8.count < Self.maximumBytes else { return }
            state.text += String(decoding: shown.utf8.prefix(Self.maximumBytes), as: UTF8.self) + "\n"
        }
    }

    /// `text` without the secrets.
    func redacted(_ text: String) -> String {
        state.withLock(\.secrets).reduce(text) { $0.replacing($1, with: "<redacted>") }
    }
}

extension String {
    /// Without Foundation: every occurrence of `piece` gives way to `replacement`.
    fileprivate func replacing(_ piece: String, with replacement: String) -> String {
        let bytes = Array(utf8)
        let pattern = Array(piece.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == pattern[0], bytes[index...].starts(with: pattern) {
                result += Array(replacement.utf8)
                index += pattern.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
