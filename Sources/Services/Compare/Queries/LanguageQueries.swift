/// The whole language, over a gauge `G`, a counter `C` and a histogram's buckets `B` that the servers have.
///
/// Every function, operator, aggregation, modifier and kind of error occurs at least once. Written with placeholders:
/// `$G`, `$C`, `$B` become selectors.
enum LanguageQueries {
    static func all(gauge: String, counter: String, buckets: String) -> [ComparedQuery] {
        templates.flatMap { category, texts in
            texts.map { text in
                ComparedQuery(category, fill(text, ["$G": gauge, "$C": counter, "$B": buckets]))
            }
        }
    }

    static func fill(_ text: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result.append(contentsOf: rest[..<dollar])
            let end = rest.index(dollar, offsetBy: 2, limitedBy: rest.endIndex) ?? rest.endIndex
            result += values[String(rest[dollar..<end])] ?? String(rest[dollar..<end])
            rest = rest[end...]
        }
        result.append(contentsOf: rest)
        return result
    }

    private static let templates: [(category: String, texts: [String])] = [
        ("selectors", selectors),
        ("rates", rates),
        ("over time", overTime),
        ("subqueries", subqueries),
        ("histograms", histograms),
        ("aggregations", aggregations),
        ("arithmetic", arithmetic),
        ("comparisons", comparisons),
        ("set operators", setOperators),
        ("matching labels", matchingLabels),
        ("functions of values", functionsOfValues),
        ("calendar", calendar),
        ("labels", labels),
        ("errors and notes", errorsAndNotes),
    ]

    private static func each(_ names: [String], _ queries: (String) -> [String]) -> [String] { names.flatMap(queries) }

    private static let selectors: [String] = [
        "$G", "$C", "$B", "$G offset 1m", "$G offset -1m", "$G @ start()", "$C @ end() offset 5m", "$G[1m]",
        "$C[2m] offset 30s", "$G and $G", "timestamp($G)", "time() - timestamp($G)", "nosuchmetric",
    ]

    private static let rates: [String] = [
        "rate($C[1m])", "rate($C[5m])", "rate($C[20m])", "rate($C[5m] offset 1m)", "increase($C[1m])",
        "increase($C[5m])",
        "irate($C[1m])", "irate($C[5m])", "delta($G[1m])", "delta($G[10m])", "idelta($G[5m])", "deriv($G[5m])",
        "resets($C[20m])", "changes($G[10m])", "predict_linear($G[10m], 3600)", "rate($C[1m] @ end())", "rate($C[45s])",
    ]

    private static let overTime: [String] =
        each([
            "avg_over_time", "sum_over_time", "min_over_time", "max_over_time", "count_over_time", "stddev_over_time",
            "stdvar_over_time", "last_over_time", "present_over_time", "absent_over_time",
        ]) { ["\($0)($G[1m])", "\($0)($G[5m])", "\($0)($C[17s])"] } + overTimeBesides

    private static let overTimeBesides: [String] = [
        "quantile_over_time(0.5, $G[5m])", "quantile_over_time(0.9, $C[3m])", "quantile_over_time(2, $G[5m])",
    ]

    private static let subqueries: [String] = [
        "max_over_time(rate($C[1m])[10m:1m])", "avg_over_time(sum($G)[5m:30s])", "sum_over_time($G[5m:17s] offset 1m)",
        "rate($C[5m:30s])", "quantile_over_time(0.5, rate($C[2m])[10m:])", "count_over_time((($G > 1))[5m:15s])",
        "min_over_time(max_over_time($G[2m])[6m:2m])",
    ]

    private static let histograms: [String] = [
        "histogram_quantile(0.5, $B)", "histogram_quantile(0.9, rate($B[5m]))",
        "histogram_quantile(0.99, increase($B[10m]))",
        "histogram_quantile(0.75, sum by (le) (rate($B[2m])))", "histogram_quantile(0, $B)",
        "histogram_quantile(1, $B)",
        "histogram_quantile(1.5, $B)", "histogram_quantile(NaN, $B)", "histogram_quantile(0.5, $G)",
        "histogram_fraction(0, 0.5, rate($B[5m]))", "histogram_count($G)",
        "histogram_quantile(0.5, sum without (le) ($B))",
    ]

    private static let aggregations: [String] =
        each([
            "sum", "avg", "min", "max", "count", "stddev", "stdvar", "group",
        ]) { ["\($0)($G)", "\($0)($C)", "\($0) by (job) ($C)", "\($0) by (le) ($B)", "\($0) without (instance) ($G)"] }
        + aggregationsBesides

    private static let aggregationsBesides: [String] = [
        "topk(1, $G)", "topk(3, $C)", "bottomk(2, $G)", "topk by (job) (1, $G)", "topk(0, $G)", "quantile(0.5, $C)",
        "quantile(0.9, $B)", "quantile by (job) (0.1, $G)", "quantile(-1, $G)", "count_values(\"value\", $G)",
        "count_values by (job) (\"value\", $C)", "sum by (nosuchlabel) ($G)", "count(count by (job) ($C))",
    ]

    private static let arithmetic: [String] = [
        "$G + 1", "1 - $G", "$G * 2", "$G / 3", "$G / 0", "$G % 7", "$G ^ 2", "2 ^ $G", "-$G", "$G atan2 2", "$G + $G",
        "$C - $C", "$C / on (instance, job) group_left () $G", "$G * ignoring (le) group_right () $B", "$G / $G",
        "$C * on (job) $G", "1 + 2 * 3 ^ 2", "-1 ^ 2", "5 % 0", "0 / 0", "1 / 0", "1e308 * 10", "0.1 + 0.2",
    ]

    private static let comparisons: [String] = [
        "$G > 1", "$G >= bool 1", "$G == $G", "$G != bool $G", "$G < 100", "1 < bool 2", "100 > $G",
        "$G <= on (instance, job) $C",
        "$G == NaN", "$G > -Inf",
    ]

    private static let setOperators: [String] = [
        "$G or $C", "$G and on (job) $C", "$G unless $C", "$G unless on (instance) $C", "$B and ignoring (le) $C",
        "$G or vector(1)",
    ]

    private static let matchingLabels: [String] = [
        "$G * on (instance, job) group_left (version) prometheus_build_info",
        "$G + on (job) group_left (le) topk by (job) (1, sum by (job, le) ($B))",
        "sum by (job, le) ($B) / ignoring (le) group_left () sum by (job) ($B)",
    ]

    private static let functionsOfValues: [String] =
        each([
            "abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "acos", "acosh", "asin", "asinh",
            "atan", "atanh",
            "cos", "cosh", "sin", "sinh", "tan", "tanh", "deg", "rad",
        ]) { ["\($0)($G)", "\($0)($G / 1e9)", "\($0)(vector(-0.5))"] } + functionsOfValuesBesides

    private static let functionsOfValuesBesides: [String] = [
        "round($G)", "round($G, 0.3)", "clamp($G, 2, 10)", "clamp_min($G, 5)", "clamp_max($G, 5)", "clamp($G, 5, 1)",
        "pi()",
        "scalar($G)", "scalar(sum($G))", "vector(1.5)", "absent($G)", "absent(nosuchmetric{a=\"b\"})", "sort($G)",
        "sort_desc($C)", "sort(sum by (le) ($B))",
    ]

    private static let calendar: [String] =
        each([
            "minute", "hour", "day_of_month", "day_of_week", "day_of_year", "days_in_month", "month", "year",
        ]) { ["\($0)()", "\($0)($G)", "\($0)(vector(951782400))"] } + calendarBesides

    private static let calendarBesides: [String] = [
        "time()"
    ]

    private static let labels: [String] = [
        "label_replace($G, \"dst\", \"$1-x\", \"instance\", \"(.*):.*\")",
        "label_replace($G, \"dst\", \"v\", \"nosuch\", \"\")",
        "label_join($G, \"dst\", \"/\", \"job\", \"instance\")",
        "label_replace($G, \"bad-\\u00ff\", \"x\", \"job\", \"(\")",
        "label_join($B, \"le\", \"\", \"nosuch\")",
    ]

    private static let errorsAndNotes: [String] = [
        "sum(", "$G[5m", "rate($G)", "$G[0s]", "1 + \"a\"", "nosuchfunction($G)", "sum by (a", "$G{a=~\"(\"}", "{}",
        "$G + on (job) $B",
        "$B * on (job) $B", "rate($C)", "topk(\"a\", $G)", "$G > bool", "vector($G)", "\"a string\"", "$G offset",
        "1 and 2",
        "count_values(\"bad-label\\u00ff\", $G)", "rate($G[5m])", "quantile(NaN, $G)", "$G @ -Inf", "label_replace($G)",
        "$G $C",
    ]
}
