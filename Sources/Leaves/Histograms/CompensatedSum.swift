/// Kahan's summation as Neumaier improved it: what rounding takes from a sum is kept beside it.
///
///     1e100 + 1 − 1e100        plainly 0        here sum 0, remainder 1: together 1
///
/// Source: A. Neumaier, “Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen”, ZAMM 54, 1974.
enum CompensatedSum {
    /// Adds `value` to `sum`, and what that loses to `remainder`. An infinite sum has no remainder.
    @inline(__always)
    static func add(_ value: Double, to sum: inout Double, remainder: inout Double) {
        let total = sum + value
        if total.isInfinite {
            remainder = 0
        } else if abs(sum) >= abs(value) {
            remainder += (sum - total) + value
        } else {
            remainder += (value - total) + sum
        }
        sum = total
    }
}
