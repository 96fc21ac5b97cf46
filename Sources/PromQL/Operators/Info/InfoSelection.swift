import RegularExpression
import TSDB

/// What the second argument of `info` asks for, and which info series can be meant by the series of the first.
///
///     info(http_requests_total, {__name__=~".+_info", version=~".+"})
///                                └─ names ─────────┘  └─ data ────┘
///
/// Base and info series belong together where `instance` and `job` are the same in both. Only values of these that occur on the base side are
/// asked for, so that strangers are neither read nor found to be in conflict.
struct InfoSelection {
    /// What ties an info series to the series it tells about. Fixed, as upstream has it.
    static let identifying = ["instance", "job"]

    /// Conditions on the name of the info metric; never empty.
    let names: [Matcher]
    /// Conditions on other labels. Where there are any, only labels that they name are added.
    let data: [Matcher]

    init(_ matchers: [Matcher]?) {
        let asked = (matchers ?? []).filter { $0.name == MetricName.label }
        data = (matchers ?? []).filter { $0.name != MetricName.label }
        if asked.isEmpty {
            names = [.equal(MetricName.label, "target_info")]
        } else if asked.contains(where: { $0.kind == .equal || $0.kind == .regex }) {
            names = asked
        } else {
            // Only what it must not be: of all that are called info.
            names = [Self.anyInfo].compactMap { $0 } + asked
        }
    }

    private static let anyInfo = try? Matcher(.regex, name: MetricName.label, value: ".+_info")

    /// Whether a series with this name is itself one of the info series, and so is left as it is.
    func isInfo(_ name: String) -> Bool { names.allSatisfy { $0.matches(name) } }

    /// A series for which no info series was found goes away.
    var dropsUnmatched: Bool { data.contains { !$0.matchesEmpty } }

    /// Whether label `name` of an info series is added.
    func adds(_ name: String) -> Bool {
        name != MetricName.label && (data.isEmpty || data.contains { $0.name == name })
    }

    /// Matchers for the info series of base series with these labels; `nil` where none of them has an identifying label.
    func matchers(for base: [Labels]) throws(QueryError) -> [Matcher]? {
        var result: [Matcher] = []
        for label in Self.identifying {
            var values: Set<[UInt8]> = []
            for labels in base {
                if let value = labels[label], !value.isEmpty { values.insert(Array(value.utf8)) }
            }
            if values.isEmpty { continue }
            let pattern = values.sorted { $0.lexicographicallyPrecedes($1) }
                .map { String(decoding: Self.quoted($0), as: UTF8.self) }.joined(separator: "|")
            do {
                result.append(try Matcher(.regex, name: label, value: pattern))
            } catch {
                throw QueryError(.evaluation, "too many values of label \(label) for info(): \(error)")
            }
        }
        return result.isEmpty ? nil : result + data + names
    }

    /// With a backslash before what means something in a regular expression.
    private static func quoted(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { byte in #"\.+*?()|[]{}^$"#.utf8.contains(byte) ? [UInt8(ascii: "\\"), byte] : [byte] }
    }
}
