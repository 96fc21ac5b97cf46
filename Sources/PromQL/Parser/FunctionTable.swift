/// All functions of PromQL with their signatures. What they compute stands in `Functions/`.
///
/// Grouped by argument types, since that is what the type checker asks.
public enum FunctionTable {
    /// `nil`: there is no such function. Names are case-sensitive.
    public static func signature(_ name: String) -> FunctionSignature? { byName[name] }

    /// Sorted by name.
    public static let all: [FunctionSignature] = byName.values.sorted { $0.name < $1.name }

    private static let byName: [String: FunctionSignature] = {
        var table: [String: FunctionSignature] = [:]
        func add(
            _ names: String, _ arguments: ValueType..., variadic: Int = 0, returns: ValueType = .vector,
            experimental: Bool = false
        ) {
            for name in names.split(separator: " ").map(String.init) {
                table[name] = FunctionSignature(
                    name, arguments, variadic: variadic, returns: returns, isExperimental: experimental)
            }
        }
        // Value by value.
        add("abs ceil floor exp sqrt ln log2 log10 sgn", .vector)
        add("acos acosh asin asinh atan atanh cos cosh sin sinh tan tanh deg rad", .vector)
        add("round", .vector, .scalar, variadic: 1)
        add("clamp", .vector, .scalar, .scalar)
        add("clamp_max clamp_min", .vector, .scalar)
        add("absent timestamp sort sort_desc", .vector)
        add("start_timestamp", .vector, experimental: true)

        // Scalars.
        add("pi time", returns: .scalar)
        add("start end step range", returns: .scalar, experimental: true)
        add("max_of min_of", .scalar, .scalar, returns: .scalar, experimental: true)
        add("scalar", .vector, returns: .scalar)
        add("vector", .scalar)

        // The calendar; without argument, of the evaluation time.
        add("minute hour day_of_month day_of_week day_of_year days_in_month month year", .vector, variadic: 1)

        // Over a window.
        add("rate irate increase delta idelta deriv changes resets", .matrix)
        add(
            "avg_over_time sum_over_time min_over_time max_over_time count_over_time stddev_over_time stdvar_over_time",
            .matrix)
        add("first_over_time last_over_time present_over_time absent_over_time", .matrix)
        add("quantile_over_time", .scalar, .matrix)
        add("predict_linear", .matrix, .scalar)
        add("double_exponential_smoothing", .matrix, .scalar, .scalar, experimental: true)
        add("mad_over_time ts_of_first_over_time ts_of_last_over_time", .matrix, experimental: true)
        add("ts_of_max_over_time ts_of_min_over_time", .matrix, experimental: true)

        // Histograms.
        add("histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar", .vector)
        add("histogram_fraction", .scalar, .scalar, .vector)
        add("histogram_quantile", .scalar, .vector)
        add("histogram_quantiles", .vector, .string, .scalar, .scalar, variadic: 9, experimental: true)

        // Labels.
        add("label_replace", .vector, .string, .string, .string, .string)
        add("label_join", .vector, .string, .string, .string, variadic: -1)
        add("sort_by_label sort_by_label_desc", .vector, .string, variadic: -1, experimental: true)
        add("info", .vector, .vector, variadic: 1, experimental: true)
        return table
    }()
}
