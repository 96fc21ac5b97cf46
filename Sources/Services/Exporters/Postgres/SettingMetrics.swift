import Numbers
import Postgres
import SelfMetrics

/// Every setting of the server that is a number or a switch, as `pg_settings_…`, in seconds and bytes.
///
///     shared_buffers     16384   8kB     ─▶  pg_settings_shared_buffers_bytes      134217728
///     statement_timeout  5000    ms      ─▶  pg_settings_statement_timeout_seconds 5
///     -1 is “no limit” or “as another setting says”, in any unit, and stays -1
enum SettingMetrics {
    /// Our own session has a statement timeout that nobody asked the server for; what sessions begin with is in `reset_val`. Others are taken
    /// as they are shown: `reset_val` has file modes in decimal and keepalives unresolved.
    static let statement: StaticString = """
        SELECT name, CASE name WHEN 'statement_timeout' THEN reset_val ELSE setting END AS setting, coalesce(unit, '') AS unit, vartype FROM pg_settings WHERE vartype IN ('bool', 'integer', 'real') ORDER BY name
        """

    struct Setting: Equatable {
        var name: String
        var help: String
        var value: Double
    }

    /// `nil` where the value is no number, or its unit is not known.
    static func setting(_ name: String, _ value: String, unit: String, kind: String) -> Setting? {
        let metric = "pg_settings_" + String(name.map { $0 == "." || $0 == "-" ? "_" : $0 })
        let help = "Server Parameter: \(name)"
        if kind == "bool" { return Setting(name: metric, help: help, value: value == "on" ? 1 : 0) }
        guard let number = NumberText.parse(value) else { return nil }
        guard !unit.isEmpty else { return Setting(name: metric, help: help, value: number) }
        guard let scale = scale(of: unit) else { return nil }
        return Setting(
            name: "\(metric)_\(scale.unit)", help: "\(help) [Units converted to \(scale.unit).]",
            value: number == -1 ? -1 : number * scale.factor)
    }

    /// `8kB` is 8192 bytes, `min` 60 seconds.
    static func scale(of unit: String) -> (unit: String, factor: Double)? {
        let digits = unit.prefix { $0.isASCII && $0.isNumber }
        let count = digits.isEmpty ? 1 : Double(digits) ?? 1
        switch unit.dropFirst(digits.count) {
        case "us": return ("seconds", count / 1_000_000)
        case "ms": return ("seconds", count / 1000)
        case "s": return ("seconds", count)
        case "min": return ("seconds", count * 60)
        case "h": return ("seconds", count * 3600)
        case "d": return ("seconds", count * 86400)
        case "B": return ("bytes", count)
        case "kB": return ("bytes", count * 1024)
        case "MB": return ("bytes", count * 1024 * 1024)
        case "GB": return ("bytes", count * 1024 * 1024 * 1024)
        case "TB": return ("bytes", count * 1024 * 1024 * 1024 * 1024)
        default: return nil
        }
    }

    static func write(_ rows: Rows, server: String, to page: inout MetricsPage) {
        for row in 0..<rows.count {
            guard
                let setting = setting(
                    rows[row, "name"] ?? "", rows[row, "setting"] ?? "", unit: rows[row, "unit"] ?? "", kind: rows[row, "vartype"] ?? "")
            else { continue }
            page.family(setting.name, .gauge, setting.help)
            page.sample(setting.name, [("server", server)], setting.value)
        }
    }
}
