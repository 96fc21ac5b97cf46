/// Numbers as people read them: three digits that count, and a unit.
enum Units {
    /// `735 ns`, `1.24 ms`, `12.0 s`.
    static func time(nanoseconds: Double) -> String { scaled(nanoseconds, ["ns", "µs", "ms", "s"]) }

    /// `950`, `12.4 k`, `95.1 M`.
    static func count(_ value: Double) -> String { scaled(value, ["", "k", "M", "G"]) }

    /// `512 B`, `1.50 kB`, `123 MB`: powers of a thousand.
    static func bytes(_ value: Double) -> String { scaled(value, ["B", "kB", "MB", "GB"]) }

    /// `1,234,567`.
    static func grouped(_ value: Int) -> String {
        var digits = Array("\(value.magnitude)")
        var at = digits.count - 3
        while at > 0 {
            digits.insert(",", at: at)
            at -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }

    /// Three digits that count: `1.24`, `12.4`, `124`, `0.0124`; a thousand and more in full.
    static func digits(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let size = abs(value)
        if size == 0 { return "0" }
        var decimals = 0
        var scale = 1.0
        while decimals < 6 && (size * scale).rounded() < 100 {
            decimals += 1
            scale *= 10
        }
        return fixed(value, decimals: decimals)
    }

    /// Exactly `decimals` digits behind the point, `value` within ±10¹².
    static func fixed(_ value: Double, decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1) { scale, _ in scale * 10 }
        guard let whole = Int(exactly: (value * Double(scale)).rounded()) else { return "\(value)" }
        let sign = whole < 0 ? "-" : ""
        let digits = "\(whole.magnitude)"
        guard decimals > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    private static func scaled(_ value: Double, _ units: [String]) -> String {
        guard value.isFinite else { return "–" }
        var value = value
        var index = 0
        // 999.6 is shown as 1.00 of the next unit, not as 1000 of this one.
        while abs(value) >= 999.5 && index < units.count - 1 {
            value /= 1000
            index += 1
        }
        // Below one of the smallest unit, two decimals are enough.
        let text = abs(value) < 1 && value != 0 ? fixed(value, decimals: 2) : digits(value)
        return units[index].isEmpty ? text : text + " " + units[index]
    }
}

extension Units {
    /// The power of ten at or above a small number: `1e-15`.
    static func power(_ value: Double) -> String {
        guard value > 0, value.isFinite else { return "0" }
        var exponent = 0
        var power = 1.0
        while power > value && exponent > -320 {
            exponent -= 1
            power = power / 10
        }
        return "1e\(exponent + 1)"
    }
}
