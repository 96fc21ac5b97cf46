/// The notes that native histograms give rise to, one function per text.
///
///     context.annotate(HistogramNotes.mixedInAggregation(at: expr.range))
///
/// Source: util/annotations/annotations.go; Grafana shows these texts, so they are upstream's to the letter. `range` is the place in the query
/// that upstream names, mostly that of the operand or argument.
enum HistogramNotes {
    /// What was being done when two histograms did not fit together.
    enum Operation: String, Sendable {
        case addition, subtraction, aggregation
    }

    /// ` for metric name "x"`, or nothing.
    private static func forMetric(_ name: String) -> String { name.isEmpty ? "" : " for metric name \(name.goQuoted)" }

    // MARK: Mixtures

    /// Floats and histograms in one range of one series. Nothing comes of it.
    static func mixed(_ metric: String, at range: Range<Int>) -> Annotation {
        Annotation(.warning, "encountered a mix of histograms and floats for metric name \(metric.goQuoted)", at: range)
    }

    /// Floats and histograms in one group of `sum` or `avg`. Nothing comes of it.
    static func mixedInAggregation(at range: Range<Int>) -> Annotation {
        Annotation(.warning, "encountered a mix of histograms and floats for aggregation", at: range)
    }

    /// Exponential and custom buckets among the histograms of one metric.
    static func mixedSchemas(_ metric: String, at range: Range<Int>) -> Annotation {
        Annotation(
            .warning,
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name "
                + metric.goQuoted, at: range)
    }

    /// Series with `le` and a native histogram of the same labels.
    static func mixedClassicAndNative(_ metric: String, at range: Range<Int>) -> Annotation {
        Annotation(.warning, "vector contains a mix of classic and native histograms" + forMetric(metric), at: range)
    }

    // MARK: Counters and gauges

    static func notCounter(_ metric: String, at range: Range<Int>) -> Annotation {
        Annotation(.warning, "this native histogram metric is not a counter: \(metric.goQuoted)", at: range)
    }

    static func notGauge(_ metric: String, at range: Range<Int>) -> Annotation {
        Annotation(.warning, "this native histogram metric is not a gauge: \(metric.goQuoted)", at: range)
    }

    /// One was known to follow a reset, the other known not to.
    static func resetCollision(_ operation: Operation, at range: Range<Int>) -> Annotation {
        Annotation(.warning, "conflicting counter resets during histogram \(operation.rawValue)", at: range)
    }

    // MARK: Buckets

    /// Custom bounds differed; what they have in common was kept.
    static func boundsReconciled(_ operation: Operation, at range: Range<Int>) -> Annotation {
        Annotation(.info, "mismatched custom buckets were reconciled during \(operation.rawValue)", at: range)
    }

    /// A binary operator met exponential and custom buckets.
    static func incompatibleLayout(_ op: BinaryOperator, at range: Range<Int>) -> Annotation {
        Annotation(.warning, "incompatible bucket layout encountered for binary operator \(op.rawValue)", at: range)
    }

    // MARK: Histograms where there may be none

    /// Types are `float` and `histogram`. Nothing comes of it.
    static func incompatibleTypes(_ left: String, _ op: BinaryOperator, _ right: String, at range: Range<Int>) -> Annotation {
        Annotation(
            .info,
            "incompatible sample types encountered for binary operator \"\(op.rawValue)\": \(left) \(op.rawValue) \(right)",
            at: range)
    }

    /// `aggregation` as written: `min`, `topk`, …
    static func ignored(inAggregation aggregation: String, at range: Range<Int>) -> Annotation {
        Annotation(.info, "ignored histogram in \(aggregation) aggregation", at: range)
    }

    /// A function of floats over a range with both.
    static func ignoredInMixedRange(_ metric: String, at range: Range<Int>) -> Annotation {
        Annotation(
            .info, "ignored histograms in a range containing both floats and histograms for metric name \(metric.goQuoted)",
            at: range)
    }

    // MARK: Observations that are no numbers

    static func quantileIsNaN(_ metric: String, at range: Range<Int>) -> Annotation {
        Annotation(
            .info, "input to histogram_quantile has NaN observations, result is NaN" + forMetric(metric), at: range)
    }

    static func quantileIsSkewed(_ metric: String, at range: Range<Int>) -> Annotation {
        Annotation(
            .info, "input to histogram_quantile has NaN observations, result is skewed higher" + forMetric(metric), at: range)
    }

    static func fractionLeavesOutNaN(_ metric: String, at range: Range<Int>) -> Annotation {
        Annotation(
            .info,
            "input to histogram_fraction has NaN observations, which are excluded from all fractions"
                + forMetric(metric), at: range)
    }
}
