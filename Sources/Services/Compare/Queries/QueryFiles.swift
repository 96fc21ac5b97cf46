import Alerter
import ConfigurationFile
import JSON
import PromQL
import TSDB

/// Queries from files: a list, a rule file, a dashboard.
public enum QueryFiles {
    /// One query per line; blank lines and lines that begin with `#` are passed over. A line may be a JSON object with
    /// `q` or `query`, and `cat` or `category`.
    public static func list(_ text: String) -> [ComparedQuery] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let line = String(line.trimmed)
            if line.isEmpty || line.hasPrefix("#") { return nil }
            if line.hasPrefix("{\""), let object = try? JSONValue(parsing: line),
                let query = (object["q"] ?? object["query"])?.string
            {
                return ComparedQuery((object["cat"] ?? object["category"])?.string ?? "file", query)
            }
            return ComparedQuery("file", line)
        }
    }

    /// Every expression of a rule file; the group is the category.
    public static func rules(_ bytes: [UInt8], file: String) throws(ConfigError) -> [ComparedQuery] {
        var options = ParserOptions()
        options.experimentalFunctions = true
        let groups = try RuleFile.parse(bytes, file: file, global: .minutes(1), options: options)
        return groups.flatMap { group in group.rules.map { ComparedQuery("rules: \(group.name)", $0.query) } }
    }

    /// Every expression of a Grafana dashboard, wherever it stands, with values for its variables.
    public static func dashboard(_ bytes: [UInt8], step: TSDB.Duration) throws(JSONError) -> [ComparedQuery] {
        let document = try bytes.withUnsafeBytes { bytes in
            Result { () throws(JSONError) in try JSONValue(parsing: bytes) }
        }.get()
        let variables = DashboardVariables(document, step: step)
        let title = document["title"]?.string ?? (document["dashboard"]?["title"]?.string ?? "dashboard")
        return expressions(document).map { ComparedQuery("dashboard: \(title)", variables.filled($0)) }
    }

    private static func expressions(_ value: JSONValue) -> [String] {
        switch value {
        case .array(let elements): return elements.flatMap(expressions)
        case .object(let members):
            return members.flatMap { member -> [String] in
                if member.name == "expr", case .string(let text) = member.value, !text.isEmpty { return [text] }
                return expressions(member.value)
            }
        default: return []
        }
    }
}

/// `$job`, `${job}`, `${job:regex}` and `[[job]]` of a Grafana dashboard, and Grafana's own `$__rate_interval` and the
/// like.
struct DashboardVariables {
    private var values: [String: String]

    init(_ document: JSONValue, step: TSDB.Duration) {
        let seconds = max(1, step.milliseconds / 1000)
        values = [
            "__interval": "\(seconds)s", "__interval_ms": "\(seconds * 1000)",
            "__rate_interval": "\(max(60, seconds * 4))s",
            "__range": "1h", "__range_s": "3600", "__range_ms": "3600000",
        ]
        let list = (document["templating"] ?? document["dashboard"]?["templating"])?["list"]?.elements ?? []
        for variable in list {
            guard let name = variable["name"]?.string else { continue }
            let current = variable["current"]?["value"]
            let chosen = current?.string ?? current?.elements.compactMap(\.string).joined(separator: "|") ?? ""
            values[name] = chosen.isEmpty || chosen.contains("$__") ? ".*" : chosen
        }
    }

    /// Variables without a value stand for everything: `.*`.
    func filled(_ text: String) -> String {
        var result = ""
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            if scalar == "$", let (name, end) = Self.name(rest.dropFirst()) {
                result += values[name] ?? ".*"
                rest = rest[end...]
            } else if scalar == "[", let (name, end) = Self.bracketed(rest) {
                result += values[name] ?? ".*"
                rest = rest[end...]
            } else {
                result.unicodeScalars.append(scalar)
                rest.removeFirst()
            }
        }
        return result
    }

    /// `job}` behind `${`, or `job` behind `$`.
    private static func name(_ text: Substring.UnicodeScalarView) -> (String, String.Index)? {
        if text.first == "{" {
            guard let close = text.firstIndex(of: "}") else { return nil }
            let inside = text[text.index(after: text.startIndex)..<close]
            return (String(inside.prefix { $0 != ":" }), text.index(after: close))
        }
        let name = text.prefix(while: isNamePart)
        guard let first = name.first, first.properties.numericType == nil else { return nil }
        return (String(name), name.endIndex)
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": return true
        default: return false
        }
    }

    /// `[[job]]`
    private static func bracketed(_ text: Substring.UnicodeScalarView) -> (String, String.Index)? {
        let inside = text.dropFirst(2)
        guard text.dropFirst().first == "[", let close = inside.firstIndex(of: "]") else { return nil }
        let behind = inside[close...].dropFirst()
        guard behind.first == "]", close > inside.startIndex else { return nil }
        return (String(inside[..<close]), behind.index(after: behind.startIndex))
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
