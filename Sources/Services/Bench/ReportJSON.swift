/// The report for machines: one JSON object, times in nanoseconds.
extension Report {
    func json() -> String {
        let shape = plan.shape
        var text =
            "{\"series\":\(shape.seriesCount),\"buckets\":\(shape.bucketCount),\"instances\":\(shape.instanceCount)"
        text += ",\"scrapes\":\(shape.scrapeCount),\"interval_ms\":\(shape.interval),\"samples\":\(load.samples)"
        text += ",\"steps\":\(plan.stepCount),\"step_ms\":\(plan.step),\"seed\":\(shape.seed)"
        text += ",\"peak_bytes\":\(peakBytes),\"rows\":["
        text += rows.map(Self.json).joined(separator: ",\n")
        return text + "]}\n"
    }

    private static func json(_ row: BenchRow) -> String {
        let cost = row.measurement
        var text = "{\"group\":\(quoted(row.group.rawValue)),\"name\":\(quoted(row.name)),\"kind\":\(quoted(row.kind))"
        text +=
            ",\"query\":\(quoted(row.query)),\"units\":\(row.units),\"samples\":\(row.samples),\"runs\":\(cost.runs)"
        text += ",\"cpu\":\(number(cost.median.cpu)),\"cpu_min\":\(number(cost.minimum.cpu))"
        text += ",\"wall\":\(number(cost.median.wall)),\"wall_min\":\(number(cost.minimum.wall))"
        text += ",\"cpu_per_unit\":\(number(row.costPerUnit)),\"cpu_per_sample\":\(number(row.costPerSample))"
        if let allocations = row.allocations {
            text += ",\"allocations\":\(allocations.calls),\"allocated_bytes\":\(allocations.bytes)"
        }
        let others = row.others.map { other in
            "{\"name\":\(quoted(other.name)),\"cpu\":\(other.cpu.map(number) ?? "null"),\"wall\":\(number(other.wall))"
                + ",\"ratio\":\(number(other.ratio(of: cost))),\"answers\":\(json(other.comparison))}"
        }
        return text + ",\"against\":[" + others.joined(separator: ",") + "]}"
    }

    private static func json(_ comparison: AnswerComparison) -> String {
        switch comparison {
        case .equal: return "{\"verdict\":\"equal\"}"
        case .close(let count, let error):
            return "{\"verdict\":\"close\",\"count\":\(count),\"error\":\(number(error))}"
        case .different(let first): return "{\"verdict\":\"different\",\"first\":\(quoted(first))}"
        }
    }

    /// JSON has no NaN.
    private static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..."\u{1f}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
