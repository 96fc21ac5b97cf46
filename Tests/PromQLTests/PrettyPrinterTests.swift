import Support
import TSDB
import Testing

@testable import PromQL

/// Long expressions over several lines. The expected texts are what Prometheus 3.5.3 answers.
@Suite struct PrettyPrinterTests {
    @Test("what fits a line of 100 stays on it, what does not is opened, two spaces deeper")
    func table() throws {
        for (query, expected) in Self.formatted {
            #expect(try Parser.parse(query).formatted == expected, "\(query)")
        }
    }

    @Test("a line of exactly 100 bytes is not broken, one of 101 is")
    func width() throws {
        let name = String(repeating: "a", count: 95)
        #expect(try Parser.parse("abs(\(name))").formatted == "abs(\(name))")
        #expect(try Parser.parse("abs(a\(name))").formatted == "abs(\n  a\(name)\n)")
    }

    @Test("the formatted text is the same expression, and formatting it again changes nothing")
    func sameExpression() throws {
        let seed = TestSeed.seeds(1).first ?? 1
        var generator = ExprGenerator(seed: seed)
        for round in 0..<TestSeed.cases(5_000) {
            let query = generator.expression(depth: 1 + round % 7)
            let expr = try Parser.parse(query, options: .everything)
            let again = try Parser.parse(expr.formatted, options: .everything)
            guard again.description == expr.description, again.formatted == expr.formatted else {
                Issue.record("seed \(seed)\n\(query)\n\(expr.formatted)")
                return
            }
        }
    }

    @Test("the deepest expression that parses can be formatted")
    func depth() throws {
        let depth = Parser.maximumDepth - 1
        let query = String(repeating: "(", count: depth) + "a" + String(repeating: ")", count: depth)
        #expect(try Parser.parse(query).formatted.utf8.count > query.utf8.count)
    }

    private static let formatted: [(String, String)] = [
        (
            #"""
            sum(rate(x[5m]))
            """#,
            #"""
            sum(rate(x[5m]))
            """#
        ),
        (
            #"""
            histogram_quantile(0.95, sum by (le, handler, instance) (rate(prometheus_http_request_duration_seconds_bucket{job="prometheus"}[5m])))
            """#,
            #"""
            histogram_quantile(
              0.95,
              sum by (le, handler, instance) (
                rate(prometheus_http_request_duration_seconds_bucket{job="prometheus"}[5m])
              )
            )
            """#
        ),
        (
            #"""
            -(sum without (instance) (node_filesystem_avail_bytes{fstype!="tmpfs"}) / on (device, mountpoint) group_left (fstype) node_filesystem_size_bytes) > bool 0.5
            """#,
            #"""
              -(
                  sum without (instance) (node_filesystem_avail_bytes{fstype!="tmpfs"})
                / on (device, mountpoint) group_left (fstype)
                  node_filesystem_size_bytes
              )
            > bool
              0.5
            """#
        ),
        (
            #"""
            topk(3, max_over_time((sum by (job) (rate(a_long_name_of_a_counter_total{code=~"5.."}[5m])) / sum by (job) (rate(a_long_name_of_a_counter_total[5m])))[1h:1m] offset 5m))
            """#,
            #"""
            topk(
              3,
              max_over_time(
                (
                    sum by (job) (rate(a_long_name_of_a_counter_total{code=~"5.."}[5m]))
                  /
                    sum by (job) (rate(a_long_name_of_a_counter_total[5m]))
                )[1h:1m] offset 5m
              )
            )
            """#
        ),
        (
            #"""
            max_over_time(rate(x[5m])[1h:1m]) + max_over_time(rate(x_with_a_rather_long_name_that_fills_the_line[5m])[1h:1m])
            """#,
            #"""
              max_over_time(rate(x[5m])[1h:1m])
            +
              max_over_time(rate(x_with_a_rather_long_name_that_fills_the_line[5m])[1h:1m])
            """#
        ),
        (
            #"""
            absent(a_metric_with_a_long_name{and_a_label="with a value that alone is longer than a line may be, which nothing can break"})
            """#,
            #"""
            absent(
              a_metric_with_a_long_name{and_a_label="with a value that alone is longer than a line may be, which nothing can break"}
            )
            """#
        ),
        (
            #"""
            sum(max_over_time(deriv(rate(distance_covered_meters_total_by_all_vehicles_of_the_fleet{depot="north"}[1m])[5m:1m])[10m:]))
            """#,
            #"""
            sum(
              max_over_time(
                deriv(rate(distance_covered_meters_total_by_all_vehicles_of_the_fleet{depot="north"}[1m])[5m:1m])[10m:]
              )
            )
            """#
        ),
    ]
}
