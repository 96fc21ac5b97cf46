#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Functions of one number: `abs(x)`, `ln(x)`, `sin(x)`, `deg(x)` … under their PromQL names.
///
/// One loop per function; the choice is made once per column. Out of the domain they give NaN or ±Inf, as IEEE 754 says.
struct MathFunction: ColumnTransform {
    enum Name: String, CaseIterable {
        case abs, ceil, floor, exp, sqrt, ln, log2, log10, sgn
        case sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh
        case deg, rad
    }

    let name: Name

    func apply(to column: inout StepColumn) {
        let values = column.values
        let count = column.count
        @inline(__always)
        func each(_ function: (Double) -> Double) {
            for step in 0..<count { values[step] = function(values[step]) }
        }
        switch name {
        case .abs: each { $0.magnitude }
        case .ceil: each { $0.rounded(.up) }
        case .floor: each { $0.rounded(.down) }
        case .sqrt: each { $0.squareRoot() }
        case .exp: each { exp($0) }
        case .ln: each { log($0) }
        case .log2: each { log2($0) }
        case .log10: each { log10($0) }
        // Zero keeps its sign, NaN stays NaN.
        case .sgn: each { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 }
        case .sin: each { sin($0) }
        case .cos: each { cos($0) }
        case .tan: each { tan($0) }
        case .asin: each { asin($0) }
        case .acos: each { acos($0) }
        case .atan: each { atan($0) }
        case .sinh: each { sinh($0) }
        case .cosh: each { cosh($0) }
        case .tanh: each { tanh($0) }
        case .asinh: each { asinh($0) }
        case .acosh: each { acosh($0) }
        case .atanh: each { atanh($0) }
        // Upstream's order of operations, for the same last digit.
        case .deg: each { $0 * 180 / .pi }
        case .rad: each { $0 * .pi / 180 }
        }
    }
}
