import Numbers

/// A native histogram for a terminal: its buckets as bars, or all of them in one line.
///
///     count 36  sum 34.5
///       [-0.25, 0.25]   3  █████
///       (0.25, 0.5]    12  ████████████████████
///       (2, 4]          6  ██████████
///
///     count 36  sum 34.5  (-0.25 … 4)  ▂█▄
extension QueryHistogram {
    /// Cells of the longest bar.
    private static let barWidth = 40
    /// Buckets in a picture; more are put together with their neighbours.
    private static let maximumRows = 40
    private static let maximumColumns = 60

    private var summary: String { "count \(Self.text(count))  sum \(Self.text(sum))" }

    /// The summary, and beneath it a line for each bucket that is not empty.
    var lines: [String] {
        let rows = Self.joined(buckets, atMost: Self.maximumRows)
        let names = rows.map(\.interval), counts = rows.map { Self.text($0.count) }
        let nameWidth = names.map(\.count).max() ?? 0, countWidth = counts.map(\.count).max() ?? 0
        let most = greatest(rows)
        return [summary]
            + rows.indices.map { row in
                let bar = Self.bar(rows[row].count / most * Double(Self.barWidth))
                return "  \(names[row])\(Self.space(nameWidth - names[row].count))  "
                    + "\(Self.space(countWidth - counts[row].count))\(counts[row])  \(bar)"
            }
    }

    /// Everything in one line, a cell for each bucket that is not empty.
    var line: String {
        let columns = Self.joined(buckets, atMost: Self.maximumColumns)
        guard let first = columns.first, let last = columns.last else { return summary }
        let most = greatest(columns)
        let cells = columns.map { Self.cells[Self.level($0.count / most * 8, atLeast: 1)] }
        return "\(summary)  (\(Self.text(first.lower)) … \(Self.text(last.upper)))  \(String(cells))"
    }

    private func greatest(_ buckets: [Bucket]) -> Double {
        let most = buckets.map(\.count).filter(\.isFinite).max() ?? 0
        return most > 0 ? most : 1
    }

    /// Neighbours put together until there are no more than `maximum`.
    private static func joined(_ buckets: [Bucket], atMost maximum: Int) -> [Bucket] {
        let size = (buckets.count + maximum - 1) / maximum
        guard size > 1 else { return buckets }
        return stride(from: 0, to: buckets.count, by: size).map { start in
            let part = buckets[start..<min(start + size, buckets.count)]
            var joined = buckets[start]
            for bucket in part.dropFirst() {
                joined.upper = bucket.upper
                joined.count += bucket.count
                let hasLower = joined.bounds == .lower || joined.bounds == .both
                let hasUpper = bucket.bounds == .upper || bucket.bounds == .both
                joined.bounds = hasLower ? (hasUpper ? .both : .lower) : (hasUpper ? .upper : .none)
            }
            return joined
        }
    }

    private static let cells: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let tips: [Character] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

    /// A number of eighths; 0 for what is no length.
    private static func level(_ eighths: Double, atLeast least: Int) -> Int {
        guard eighths.isFinite, eighths > 0 else { return 0 }
        return max(least, min(8, Int(min(eighths, 8).rounded())))
    }

    private static func bar(_ length: Double) -> String {
        guard length.isFinite, length > 0 else { return "" }
        let eighths = max(1, Int((min(length, Double(barWidth)) * 8).rounded()))
        let tip = eighths % 8
        return String(repeating: "█", count: eighths / 8) + (tip > 0 ? String(tips[tip]) : "")
    }

    private static func space(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    private static func text(_ value: Double) -> String { NumberText.string(value, style: .plain) }
}

extension QueryHistogram.Bucket {
    /// `(0.25, 0.5]`
    public var interval: String {
        let opens = bounds == .lower || bounds == .both, closes = bounds == .upper || bounds == .both
        return (opens ? "[" : "(") + NumberText.string(lower, style: .plain) + ", "
            + NumberText.string(upper, style: .plain) + (closes ? "]" : ")")
    }
}
