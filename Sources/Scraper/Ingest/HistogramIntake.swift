import Histograms

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a native histogram goes through before it may be stored: validity, resolution, number of buckets.
///
///     native_histogram_min_bucket_factor: 1.1   no schema finer than 2, whose buckets grow by 1.19
///     native_histogram_bucket_limit: 160        schema by schema coarser, until 160 buckets are enough; −4 not being enough fails the scrape
struct HistogramIntake {
    enum Refusal: Error, Equatable {
        /// With upstream's words.
        case invalid(String)
        case tooManyBuckets
    }

    /// The finest exponential schema to keep.
    let maximumSchema: Int32
    /// Buckets of a histogram, both sides together.
    let maximumBuckets: Int

    init(_ limits: ScrapeLimits) {
        maximumSchema = Self.schema(forFactor: limits.minimumBucketFactor)
        maximumBuckets = limits.buckets > 0 ? limits.buckets : .max
    }

    /// The histogram as it is to be stored.
    func admit(_ sample: HistogramSample) throws(Refusal) -> HistogramSample {
        switch sample {
        case .integer(var histogram):
            do { try histogram.validate() } catch { throw .invalid("\(error)") }
            // Buckets filled on purpose by a conversion stay.
            if !histogram.hasCustomBounds { histogram.compact() }
            if !histogram.hasCustomBounds, histogram.schema > maximumSchema { histogram.reduceResolution(to: maximumSchema) }
            while histogram.positiveDeltas.count + histogram.negativeDeltas.count > maximumBuckets {
                try checkCoarser(histogram.schema)
                histogram.reduceResolution(to: histogram.schema - 1)
            }
            return .integer(histogram)
        case .float(var histogram):
            do { try histogram.validate() } catch { throw .invalid("\(error)") }
            if !histogram.hasCustomBounds { histogram.compact() }
            if !histogram.hasCustomBounds, histogram.schema > maximumSchema { histogram.reduceResolution(to: maximumSchema) }
            while histogram.positiveBuckets.count + histogram.negativeBuckets.count > maximumBuckets {
                try checkCoarser(histogram.schema)
                histogram.reduceResolution(to: histogram.schema - 1)
            }
            return .float(histogram)
        }
    }

    private func checkCoarser(_ schema: Int32) throws(Refusal) {
        if schema <= FloatHistogram.exponentialSchemas.lowerBound { throw .tooManyBuckets }
    }

    /// The finest schema whose buckets grow by at least `factor`.
    static func schema(forFactor factor: Double) -> Int32 {
        let range = FloatHistogram.exponentialSchemas
        // Every growth at all, which schema 8 has.
        guard factor > 1 else { return range.upperBound }
        let schema = floor(-log2(log2(factor)))
        if schema >= Double(range.upperBound) { return range.upperBound }
        if schema <= Double(range.lowerBound) { return range.lowerBound }
        return Int32(schema)
    }
}

extension IntegerHistogram {
    var hasCustomBounds: Bool { schema == FloatHistogram.customSchema }
}

extension HistogramSample {
    /// What the histogram was when nothing had been observed: the zero at its start time. Layout and kind are the same, so that it costs no chunk.
    var atStart: HistogramSample {
        switch self {
        case .integer(let histogram):
            .integer(
                IntegerHistogram(
                    hint: histogram.hint == .gauge ? .gauge : .reset, schema: histogram.schema,
                    zeroThreshold: histogram.zeroThreshold, customBounds: histogram.customBounds))
        case .float(let histogram):
            .float(
                FloatHistogram(
                    hint: histogram.hint == .gauge ? .gauge : .reset, schema: histogram.schema,
                    zeroThreshold: histogram.zeroThreshold, customBounds: histogram.customBounds))
        }
    }
}
