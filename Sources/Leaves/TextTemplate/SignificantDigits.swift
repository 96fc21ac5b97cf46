/// A number in as many significant digits as are asked for, as Go's `%.4g` writes it.
///
///     1234567 → 1.235e+06      0.12 → 0.12      899.96 → 900      1/0 → +Inf
public enum SignificantDigits {
    /// More digits say nothing about a double.
    private static let maximum = 17

    public static func text(_ value: Double, digits: Int) -> String {
        let format = "%.\(min(max(digits, 1), maximum))g"
        // A format of one verb and a number cannot fail, and is short.
        return (try? Printf.format(format, [.float(value)], maximumBytes: 64)) ?? ""
    }
}
