/// `clamp(v, min, max)`, `clamp_min`, `clamp_max`: values pressed into a range that may differ from step to step.
///
///     clamp(x, 2, 5)     1 3 9 NaN   →   2 3 5 NaN
///
/// At steps with max < min there is no result.
struct Clamping: ColumnTransform {
    let minimum: ScalarColumn
    let maximum: ScalarColumn

    func apply(to column: inout StepColumn) {
        for step in 0..<column.count {
            let low = minimum.values[step], high = maximum.values[step]
            if high < low {
                column.unset(step)
            } else {
                column.values[step] = Extremum.larger(low, Extremum.smaller(high, column.values[step]))
            }
        }
    }
}

/// `round(v, to_nearest)`: the nearest multiple, the upper one of two equally near. The reciprocal is upstream's, for
/// the same digits: `round(0.15, 0.1)` has to go wrong in the same way.
struct Rounding: ColumnTransform {
    let toNearest: ScalarColumn

    func apply(to column: inout StepColumn) {
        for step in 0..<column.count {
            let inverse = 1 / toNearest.values[step]
            column.values[step] = (column.values[step] * inverse + 0.5).rounded(.down) / inverse
        }
    }
}

/// Smaller and larger of two numbers as Go's `math` has them: NaN wins over all but the infinity in whose direction is
/// looked, and −0 is smaller than +0. Swift's `min` and `max` depend on the order of NaN and number.
enum Extremum {
    @inline(__always)
    static func smaller(_ a: Double, _ b: Double) -> Double {
        if a == -.infinity || b == -.infinity { return -.infinity }
        if a.isNaN || b.isNaN { return .nan }
        if a == 0 && b == 0 { return a.sign == .minus ? a : b }
        return a < b ? a : b
    }

    @inline(__always)
    static func larger(_ a: Double, _ b: Double) -> Double {
        if a == .infinity || b == .infinity { return .infinity }
        if a.isNaN || b.isNaN { return .nan }
        if a == 0 && b == 0 { return a.sign == .minus ? b : a }
        return a > b ? a : b
    }
}
