import Logging
import Numbers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Log lines as Prometheus writes them, to standard error.
///
///     time=2026-11-22T19:08:01.849Z level=INFO source=minprom msg="Server is ready to receive web requests."
///
/// Or the same fields as one JSON object per line. Values are quoted where they must be, so that no label value from
/// outside can begin a line of its own.
package struct LogLines: LogHandler {
    package enum Format: String { case logfmt, json }

    package let label: String
    package let format: Format
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]

    package init(label: String, format: Format, logLevel: Logger.Level) {
        self.label = label
        self.format = format
        self.logLevel = logLevel
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = [
            ("time", Self.now()), ("level", Self.name(of: event.level)), ("source", label), ("msg", event.message.description),
        ]
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { fields.append((key, value.description)) }
        switch format {
        case .logfmt: Console.write(fields.map { "\($0.0)=\(Self.logfmt($0.1))" }.joined(separator: " ") + "\n")
        case .json:
            Console.write("{" + fields.map { "\(Self.quoted($0.0)):\(Self.quoted($0.1))" }.joined(separator: ",") + "}\n")
        }
    }

    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return TimeText.string(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    private static func name(of level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: return "DEBUG"
        case .info, .notice: return "INFO"
        case .warning: return "WARN"
        case .error, .critical: return "ERROR"
        }
    }

    private static func logfmt(_ value: String) -> String {
        let plain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        return plain ? value : quoted(value)
    }

    private static func quoted(_ value: String) -> String {
        var result = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

// MARK: Flags

extension LogLines {
    package static func level(_ name: String) throws(StartError) -> Logger.Level {
        let levels: [String: Logger.Level] = ["debug": .debug, "info": .info, "warn": .warning, "error": .error]
        guard let level = levels[name] else { throw StartError("--log.level must be debug, info, warn or error, not \"\(name)\"") }
        return level
    }

    package static func format(_ name: String) throws(StartError) -> Format {
        guard let format = Format(rawValue: name) else { throw StartError("--log.format must be logfmt or json, not \"\(name)\"") }
        return format
    }

    /// The process' logger, as `--log.level` and `--log.format` want it.
    package static func logger(_ label: String = "minprom", level: String, format: String) throws(StartError) -> Logger {
        let format = try Self.format(format), level = try Self.level(level)
        return Logger(label: label) { LogLines(label: $0, format: format, logLevel: level) }
    }
}
