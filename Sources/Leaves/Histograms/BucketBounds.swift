#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where a bucket ends: from its index to its upper bound.
///
///     schema 1     index    −1      0      1      2      3              bound = 2^(index / 2^schema)
///                  bound   0.707…   1    1.414…   2    2.828…
///
///     schema −1    index    −1      0      1      2                     bound = 2^(index · 2^−schema)
///                  bound    ¼       1      4      16
///
/// Bucket i is (bound of i−1, bound of i]. The last bucket of regular numbers would end at 2^1024, which is no double: it ends at the greatest
/// finite number, and the bucket after it, up to +Inf, holds the infinities.
enum BucketBounds {
    /// Upper bound of bucket `index` of an exponential schema. Any index and schema give a number: 0 far below, +Inf far above.
    static func exponential(_ index: Int, schema: Int32) -> Double {
        guard schema >= 0 else {
            // Indices have 32 bits: nothing is lost that counts.
            let exponent = index << min(Int(schema.magnitude), 25)
            return exponent == 1024 ? .greatestFiniteMagnitude : scaled(1, by: exponent)
        }
        let schema = min(Int(schema), finestSchema)
        let place = index & ((1 << schema) - 1)
        let fraction = boundFractions[place << (finestSchema - schema)]
        let exponent = (index >> schema) + 1
        return exponent == 1025 && place == 0 ? .greatestFiniteMagnitude : scaled(fraction, by: exponent)
    }

    /// The bucket that a positive, finite `value` falls into, schemas −4…8: the first whose upper bound is not below it.
    static func index(of value: Double, schema: Int32) -> Int {
        // value = fraction · 2^exponent, fraction in ½…1.
        let fraction = value.significand / 2, exponent = Int(value.exponent) + 1
        guard schema > 0 else {
            // A power of two ends its bucket.
            let index = fraction == 0.5 ? exponent - 1 : exponent
            let width = Int(schema.magnitude)
            return (index + (1 << width) - 1) >> width
        }
        let stride = 1 << (finestSchema - min(Int(schema), finestSchema))
        var low = 0, high = boundFractions.count / stride
        while low < high {
            let middle = (low + high) / 2
            if boundFractions[middle * stride] < fraction { low = middle + 1 } else { high = middle }
        }
        return low + (exponent - 1) * (boundFractions.count / stride)
    }

    /// Upper bound of bucket `index` of a histogram with bounds of its own: −Inf before the first, +Inf after the last.
    static func custom(_ index: Int, bounds: [Double]) -> Double {
        if index < 0 { return -.infinity }
        return index < bounds.count ? bounds[index] : .infinity
    }

    /// The schema of `boundFractions`.
    private static let finestSchema = 8

    /// `fraction` · 2^`exponent` for a fraction in ½…1. Normal numbers are made by adding to the exponent's bits, the others by the library.
    @inline(__always)
    private static func scaled(_ fraction: Double, by exponent: Int) -> Double {
        if exponent > -1021, exponent < 1024 {
            return Double(bitPattern: fraction.bitPattern &+ UInt64(bitPattern: Int64(exponent)) &<< 52)
        }
        return ldexp(fraction, Int32(max(-5000, min(5000, exponent))))
    }
}

extension FloatHistogram {
    /// The bucket of an exponential schema, −4…8, that `value` > 0 falls into. Infinity has the bucket behind the last of regular numbers.
    public static func bucketIndex(of value: Double, schema: Int32) -> Int {
        if value == .infinity { return bucketIndex(of: .greatestFiniteMagnitude, schema: schema) + 1 }
        return BucketBounds.index(of: value, schema: schema)
    }

    /// Upper bound of positive bucket `index`; a negative bucket's lower bound is its opposite.
    @inline(__always)
    func bound(_ index: Int) -> Double {
        hasCustomBounds
            ? BucketBounds.custom(index, bounds: customBounds) : BucketBounds.exponential(index, schema: schema)
    }
}

/// Index of bucket `index` after the resolution was halved `halvings` times: 2^halvings neighbours become one.
@inline(__always)
func coarserIndex(_ index: Int, halvings: Int) -> Int {
    ((index - 1) >> halvings) + 1
}
