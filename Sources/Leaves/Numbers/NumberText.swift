/// Numbers as text, laid out as Go's `strconv` does it: the form every Prometheus client and server expects.
///
///     value      .plain      .general       .fixed
///     100000     100000      100000         100000
///     1234567    1234567     1.234567e+06   1234567
///     1e-7       1e-07       1e-07          0.0000001
///     1e21       1e+21       1e+21          1000000000000000000000
///     NaN, ±∞    NaN, +Inf, -Inf in every style
///
/// The digits are always the shortest ones that read back as the same double; only the layout differs. Writing is in
/// `NumberFormat.swift`, reading in `NumberParse.swift`.
///
/// Invariant: `parse(string(x)) == x` by bit pattern for every finite `x` and every style.
public enum NumberText {
    public enum Style: Sendable {
        /// Values in API answers: plain digits, an exponent only below 1e-6 and from 1e21 on.
        case plain
        /// Go's `%v` and `FormatFloat(x, 'g', -1)`: an exponent below 1e-4 and from 1e6 on. `le` labels and printed
        /// PromQL use it.
        case general
        /// Go's `FormatFloat(x, 'f', -1)`: never an exponent. `count_values` and templates use it.
        case fixed
    }

    /// Bytes that `write` may need: a sign, `0.`, 323 zeros and 17 digits, rounded up.
    public static let maximumLength = 352

    /// The text of `value`; for inner loops use `write`.
    public static func string(_ value: Double, style: Style) -> String {
        String(unsafeUninitializedCapacity: maximumLength) { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return write(value, to: base, style: style)
        }
    }
}
