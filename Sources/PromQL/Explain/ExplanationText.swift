import Numbers

/// A tree in lines, with measures in columns behind it: what a terminal shows.
///
///     query  241 steps …                              12.4 ms
///     └─ sum by (le)            12 series   2892 points   9.9 ms  own 2.0 ms
extension Explanation {
    /// Lines without a break at the end.
    public var lines: [String] {
        var rows: [(tree: String, cells: [String])] = []
        collect(prefix: "", branch: "", into: &rows)
        let width = rows.map(\.tree.count).max() ?? 0
        let columns = rows.map(\.cells.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.cells.count > column ? $0.cells[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            guard !row.cells.isEmpty else { return row.tree }
            var line = row.tree.padded(to: width)
            for (column, cell) in row.cells.enumerated() {
                // Numbers stand under numbers; what storage did is a remark and stands left.
                line += "  " + (column < 4 ? cell.padded(to: widths[column], right: true) : cell)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private func collect(prefix: String, branch: String, into rows: inout [(tree: String, cells: [String])]) {
        rows.append((prefix + branch + title + (detail.isEmpty ? "" : " " + detail), measures?.cells ?? []))
        let below = prefix + (branch.isEmpty ? "" : branch == "├─ " ? "│  " : "   ")
        for (index, child) in children.enumerated() {
            child.collect(prefix: below, branch: index + 1 < children.count ? "├─ " : "└─ ", into: &rows)
        }
    }
}

extension Explanation.Measures {
    fileprivate var cells: [String] {
        let isRoot = series == 0 && columns == 0 && storage == nil
        var cells = [
            isRoot ? "" : "\(series) series", columns == 0 || points == 0 ? "" : "\(points) points",
            Quantity.time(nanoseconds), "own \(Quantity.time(ownNanoseconds))",
        ]
        if let storage {
            var parts = ["\(storage.samples) samples"]
            if storage.chunks > 0 { parts.append("\(storage.chunks) chunks, \(Quantity.bytes(storage.bytes))") }
            parts.append("select \(Quantity.time(storage.selecting)), decode \(Quantity.time(storage.decoding))")
            cells.append(parts.joined(separator: ", "))
        }
        return cells
    }
}

/// Amounts as people read them.
enum Quantity {
    /// `870 ns`, `12.3 µs`, `4.56 ms`, `1.2 s`
    static func time(_ nanoseconds: Int64) -> String {
        let value = Double(nanoseconds)
        if value < 1e3 { return "\(nanoseconds) ns" }
        if value < 1e6 { return "\(short(value / 1e3)) µs" }
        if value < 1e9 { return "\(short(value / 1e6)) ms" }
        return "\(short(value / 1e9)) s"
    }

    /// `812 B`, `4.40 MB`; powers of ten.
    static func bytes(_ count: Int) -> String {
        let value = Double(count)
        if value < 1e3 { return "\(count) B" }
        if value < 1e6 { return "\(short(value / 1e3)) kB" }
        if value < 1e9 { return "\(short(value / 1e6)) MB" }
        return "\(short(value / 1e9)) GB"
    }

    /// Three digits that count.
    private static func short(_ value: Double) -> String {
        let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        let scale = decimals == 2 ? 100.0 : decimals == 1 ? 10 : 1
        return NumberText.string((value * scale).rounded() / scale, style: .fixed)
    }
}

extension String {
    /// With spaces up to `width` characters; `right`: in front.
    func padded(to width: Int, right: Bool = false) -> String {
        let missing = width - count
        guard missing > 0 else { return self }
        let spaces = String(repeating: " ", count: missing)
        return right ? spaces + self : self + spaces
    }
}
