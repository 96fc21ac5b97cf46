import Support

/// Random queries that mean something over `RandomFleet`: windows as long as its data is dense, labels that it has.
///
/// `ExprGenerator` writes everything that parses; this one writes what often has an answer, so that two engines can be
/// held against each other.
struct QueryGenerator {
    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func query(depth: Int = 3) -> String {
        int(8) == 0 ? scalar(depth) : vector(depth)
    }

    // MARK: - Instant vectors

    private mutating func vector(_ depth: Int) -> String {
        guard depth > 0 else { return instantSelector() }
        switch int(19) {
        case 16, 17, 18: return native(depth - 1)
        case 0, 1: return instantSelector()
        case 2, 3, 4: return rangeFunction(depth - 1)
        case 5, 6, 7: return aggregation(depth - 1)
        case 8: return valueFunction(depth - 1)
        case 9: return "-(\(vector(depth - 1)))"
        case 10, 11: return vectorAndScalar(depth - 1)
        case 12, 13: return matched(depth - 1)
        case 14: return combined(depth - 1)
        default: return special(depth - 1)
        }
    }

    private mutating func instantSelector() -> String {
        selector() + one(of: ["", "", "", "", "", "", "", " anchored", " smoothed", " smoothed"]) + modifiers()
    }

    private mutating func selector() -> String {
        let name = one(of: [
            "requests_total", "requests_total", "level", "level", "flag", "wait_bucket", "latency", "latency", "spread",
        ])
        switch int(5) {
        case 0: return "\(name){job=\"\(one(of: ["api", "db"]))\"}"
        case 1: return "\(name){instance!=\"1\"}"
        case 2: return "{__name__=~\"\(one(of: ["level|flag", "requests_.*", "level", "level|spread"]))\", job=~\"a.*|db\"}"
        default: return name
        }
    }

    // MARK: - Native histograms

    private mutating func native(_ depth: Int) -> String {
        let histograms = nativeVector(depth)
        switch int(9) {
        case 0, 1: return histograms
        case 2: return "histogram_quantile(\(one(of: ["0.5", "0.9", "0", "1", "0.01"])), \(histograms))"
        case 3: return "histogram_fraction(\(one(of: ["0", "-1", "-Inf"])), \(one(of: ["0.3", "1.5", "Inf"])), \(histograms))"
        case 4:
            let name = one(of: ["rate", "increase"])
            return "histogram_quantile(0.9, \(name)({__name__=~\"wait_bucket|spread\"}[5m]))"
        case 5: return "histogram_quantiles(\(histograms), \"q\", 0.5, \(one(of: ["0.9", "0"])))"
        default:
            let name = one(of: [
                "histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev", "histogram_stdvar",
            ])
            return "\(name)(\(histograms))"
        }
    }

    private mutating func nativeSelector() -> String {
        one(of: ["latency", "latency", "spread", "latency{job=\"api\"}", "latency{instance=\"1\"}"])
    }

    private mutating func nativeVector(_ depth: Int) -> String {
        guard depth > 0 else { return nativeSelector() + modifiers() }
        switch int(12) {
        case 0: return nativeSelector() + one(of: ["", " smoothed"]) + modifiers()
        case 1, 2, 3:
            let name = one(of: [
                "rate", "rate", "increase", "delta", "irate", "idelta", "sum_over_time", "avg_over_time", "last_over_time",
                "first_over_time",
            ])
            return "\(name)(\(nativeSelector())[\(window())]\(modifiers()))"
        case 4:
            let name = one(of: ["rate", "increase", "delta"])
            return "\(name)(\(nativeSelector())[\(window())] \(one(of: ["anchored", "smoothed"])))"
        case 5, 6: return "\(one(of: ["sum", "avg"])) \(one(of: ["", "by (job) ", "without (instance) "]))(\(nativeVector(depth - 1)))"
        case 7: return "(\(nativeVector(depth - 1))) \(one(of: ["*", "/"])) \(number())"
        case 8: return "(\(nativeVector(depth - 1))) \(one(of: ["</", ">/"])) \(one(of: ["1", "0", "-1", "1.7", "0.001", "Inf"]))"
        case 9: return "(\(nativeVector(depth - 1))) \(one(of: ["+", "-", "==", "!="])) (\(nativeVector(depth - 1)))"
        case 10: return "\(one(of: ["sum", "avg", "last"]))_over_time((\(nativeVector(depth - 1)))[\(window()):\(one(of: ["30s", "1m"]))])"
        default: return "-(\(nativeVector(depth - 1)))"
        }
    }

    private mutating func modifiers() -> String {
        switch int(12) {
        case 0: return " offset \(one(of: ["", "-"]))\(one(of: ["15s", "1m", "7m"]))"
        case 1: return " @ \(one(of: ["600", "1200.5", "0", "start()", "end()"]))"
        case 2: return " @ \(one(of: ["900", "end()"])) offset 1m"
        default: return ""
        }
    }

    private mutating func rangeVector(_ depth: Int) -> String {
        let window = self.window()
        if depth > 0, int(4) == 0 {
            return "(\(vector(depth - 1)))[\(window):\(one(of: ["30s", "1m", "17s", ""]))]" + modifiers()
        }
        return selector() + "[\(window)]" + modifiers()
    }

    private mutating func window() -> String {
        one(of: [
            "1m", "5m", "90s", "14m", "20s", "1m + 30s", "min_of(step() + 20s, 5m)", "2m ^ 1", "max_of(range(), 1m)",
        ])
    }

    /// A window that sees samples beyond its edges.
    private mutating func extendedRate() -> String {
        let range = "\(selector())[\(window())]"
        if int(3) == 0 {
            return one(of: ["changes", "resets"]) + "(\(range) anchored\(modifiers()))"
        }
        return one(of: ["rate", "increase", "delta"]) + "(\(range) \(one(of: ["anchored", "smoothed"]))\(modifiers()))"
    }

    private mutating func rangeFunction(_ depth: Int) -> String {
        switch int(16) {
        case 12, 13: return extendedRate()
        case 14:
            return
                "double_exponential_smoothing(\(rangeVector(depth)), 0.3, \(one(of: ["0.1", "0.6", "0.6", "2"])))"
        case 0: return "quantile_over_time(\(one(of: ["0.5", "0", "0.93", "2", "NaN"])), \(rangeVector(depth)))"
        case 1: return "predict_linear(\(rangeVector(depth)), \(one(of: ["0", "60", "-3600"])))"
        case 2: return "absent_over_time(\(rangeVector(depth)))"
        default:
            let name = one(of: [
                "rate", "rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets", "count_over_time",
                "sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "last_over_time", "first_over_time",
                "stddev_over_time", "stdvar_over_time", "present_over_time", "mad_over_time", "ts_of_first_over_time",
                "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
            ])
            return "\(name)(\(rangeVector(depth)))"
        }
    }

    private mutating func aggregation(_ depth: Int) -> String {
        let grouping = one(of: [
            "", "", "by (job) ", "by (job, instance) ", "without (instance) ", "by (le) ", "by () ",
        ])
        switch int(12) {
        case 0: return "quantile \(grouping)(\(one(of: ["0.5", "0.25", "-1", "1"])), \(vector(depth)))"
        case 1: return "count_values \(grouping)(\"v\", \(vector(depth)))"
        case 3: return "limit_ratio \(grouping)(\(one(of: ["0.5", "-0.3", "1.5", "0"])), \(vector(depth)))"
        // Of a vector that `@` holds fast upstream, and the engine, take the parameter of the first step for all.
        case 4: return "limit_ratio \(grouping)(time() % 7 / 7, \(selector()))"
        case 2:
            return "\(one(of: ["topk", "bottomk", "limitk"])) \(grouping)(\(one(of: ["1", "2", "5", "0"])), \(selector()))"
        default:
            let name = one(of: ["sum", "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"])
            return "\(name) \(grouping)(\(vector(depth)))"
        }
    }

    private mutating func valueFunction(_ depth: Int) -> String {
        switch int(5) {
        case 3: return "\(one(of: ["clamp_min", "clamp_max"]))(\(vector(depth)), \(number()))"
        case 0: return "clamp(\(vector(depth)), \(number()), \(number()))"
        case 1: return "round(\(vector(depth)), \(one(of: ["1", "0.5", "10"])))"
        case 2: return one(of: ["timestamp", "start_timestamp"]) + "(\(vector(depth)))"
        default:
            let name = one(of: [
                "abs", "ceil", "floor", "sqrt", "sgn", "ln", "log2", "log10", "exp", "sin", "cos", "tan", "asin",
                "acos",
                "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad", "round", "hour", "minute",
                "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year",
            ])
            return "\(name)(\(vector(depth)))"
        }
    }

    private mutating func special(_ depth: Int) -> String {
        switch int(14) {
        // Series of a job become equal: what fails there fails the query, whoever looks at it.
        case 13: return "label_replace(\(vector(depth)), \"instance\", \"same\", \"job\", \"(a.).*\")"
        case 8: return "sort_desc(\(vector(depth)))"
        case 9: return "\(one(of: ["sort_by_label", "sort_by_label_desc"]))(\(vector(depth)), \"job\", \"instance\")"
        case 10: return "histogram_quantiles(rate(wait_bucket[5m]), \"q\", \(one(of: ["0.5", "0"])), 0.9)"
        case 11: return "histogram_quantile(\(number()), \(vector(depth)))"
        case 12: return "\(one(of: ["hour", "minute", "day_of_week", "year"]))()"
        case 0: return "absent(\(vector(depth)))"
        case 1: return "sort(\(vector(depth)))"
        case 2: return "vector(\(scalar(depth)))"
        case 3: return "label_replace(\(vector(depth)), \"kind\", \"$1-x\", \"job\", \"(a.).*\")"
        case 4: return "label_join(\(vector(depth)), \"both\", \"/\", \"job\", \"instance\")"
        case 5:
            return "histogram_fraction(\(one(of: ["0", "0.1", "-Inf"])), \(one(of: ["0.3", "1", "Inf"])), wait_bucket)"
        case 6: return "histogram_quantile(\(one(of: ["0.5", "0.9", "0.99", "0", "1"])), rate(wait_bucket[5m]))"
        default:
            return "histogram_quantile(\(one(of: ["0.5", "0.95"])), sum by (le, job) (increase(wait_bucket[5m])))"
        }
    }

    // MARK: - Operators

    private static let arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"]
    private static let comparisons = ["==", "!=", ">", "<", ">=", "<="]

    private mutating func operation() -> String {
        if int(2) == 0 { return one(of: Self.arithmetic) }
        return one(of: Self.comparisons) + one(of: ["", " bool"])
    }

    private mutating func vectorAndScalar(_ depth: Int) -> String {
        let vector = "(\(vector(depth)))", scalar = "(\(scalar(min(1, depth))))"
        return int(2) == 0 ? "\(vector) \(operation()) \(scalar)" : "\(scalar) \(operation()) \(vector)"
    }

    private mutating func matched(_ depth: Int) -> String {
        let many = "(\(vector(depth)))"
        switch int(7) {
        case 5:
            let labelled = "label_replace(sum by (job) (\(vector(depth))), \"kind\", \"k-$1\", \"job\", \"(.).*\")"
            return "\(many) \(operation()) on (job) group_left (kind) \(labelled)"
        case 0: return "\(many) \(operation()) on (job) group_left () (sum by (job) (\(vector(depth))))"
        case 1:
            return
                "(max by (job, instance) (\(vector(depth)))) \(operation()) on (job, instance) group_right () \(many)"
        case 2:
            return "sum by (job) (\(vector(depth))) \(operation()) on (job) max by (job, instance) (\(vector(depth)))"
        case 3: return "\(many) \(operation()) ignoring (instance) \(many)"
        case 4:
            return
                "sum by (job, instance) (\(vector(depth))) \(operation()) \(one(of: ["fill (1)", "fill_left (0)", "fill_right (2)"])) "
                + "min by (job, instance) (\(vector(depth)))"
        default: return "\(many) \(operation()) (\(vector(depth)))"
        }
    }

    private mutating func combined(_ depth: Int) -> String {
        let matching = one(of: ["", "on (job) ", "ignoring (instance) ", "on () "])
        return "(\(vector(depth))) \(one(of: ["and", "or", "unless"])) \(matching)(\(vector(depth)))"
    }

    // MARK: - Scalars

    private mutating func scalar(_ depth: Int) -> String {
        guard depth > 0 else { return number() }
        switch int(8) {
        case 5: return one(of: ["pi()", "start()", "end()", "step()", "range()"])
        case 6: return "\(one(of: ["max_of", "min_of"]))(\(scalar(depth - 1)), \(scalar(depth - 1)))"
        case 0: return "time()"
        case 1, 2: return "scalar(\(vector(depth - 1)))"
        case 3: return "\(scalar(depth - 1)) \(one(of: Self.arithmetic)) \(scalar(depth - 1))"
        case 4: return "\(scalar(depth - 1)) \(one(of: Self.comparisons)) bool \(scalar(depth - 1))"
        default: return number()
        }
    }

    private mutating func number() -> String { one(of: ["0", "1", "-1", "2", "0.5", "100", "Inf", "NaN", "1e3"]) }

    private mutating func int(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    private mutating func one(of choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }
}
