import Logging
import Numbers

/// What happened in one probe, line by line: shown by `debug=true` and `/logs`, and handed on to the process' log.
///
///     time=2026-11-29T17:47:16.495Z level=ERROR msg="Error dialing TCP" module=tcp target=127.0.0.1:1 err="connection refused"
///
/// Bounded: what a target says may stand in it.
struct ProbeLog: Sendable {
    static let maximumBytes = 64 << 10

    let module: String
    let target: String
    /// Lines below it are not kept.
    let level: Logger.Level
    private let logger: Logger
    private(set) var text = ""

    init(module: String, target: String, level: Logger.Level, logger: Logger) {
        self.module = module
        self.target = target
        self.level = level
        self.logger = logger
    }

    mutating func debug(_ message: String, _ fields: (String, String)...) { add(.debug, message, fields) }
    mutating func info(_ message: String, _ fields: (String, String)...) { add(.info, message, fields) }
    mutating func warn(_ message: String, _ fields: (String, String)...) { add(.warning, message, fields) }
    mutating func error(_ message: String, _ fields: (String, String)...) { add(.error, message, fields) }

    private mutating func add(_ level: Logger.Level, _ message: String, _ fields: [(String, String)]) {
        guard level >= self.level, text.utf8.count < Self.maximumBytes else { return }
        var metadata: Logger.Metadata = ["module": "\(module)", "target": "\(target)"]
        for field in fields { metadata[field.0] = "\(field.1)" }
        logger.log(level: level, "\(message)", metadata: metadata)
        var line = "time=\(TimeText.string(milliseconds: WallTime.milliseconds())) level=\(Self.name(level)) msg=\(Self.value(message))"
        for (name, value) in [("module", module), ("target", target)] + fields { line += " \(name)=\(Self.value(value))" }
        text += line + "\n"
    }

    private static func name(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: return "DEBUG"
        case .info, .notice: return "INFO"
        case .warning: return "WARN"
        case .error, .critical: return "ERROR"
        }
    }

    private static func value(_ text: String) -> String {
        let text = String(text.prefix(1000))
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        return isPlain ? text : QuotedText.go(text)
    }
}
