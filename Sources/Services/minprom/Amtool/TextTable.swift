/// Columns of text, as wide as their widest cell and two spaces.
///
///     ID    Matchers      Comment
///     7d1…  {job="api"}   known
///
/// A cell ends with a tab; what stands behind a line's last tab belongs to no column. A column reaches over the lines that follow each
/// other and have it, so that a line break in a cell ends it, as in Go's `text/tabwriter`.
struct TextTable {
    private static let padding = 2
    private var content = ""

    /// A line whose cells all belong to columns.
    mutating func row(_ cells: [String]) { content += cells.joined(separator: "\t") + "\t\n" }

    /// A line as it is.
    mutating func line(_ text: String) { content += text + "\n" }

    var text: String {
        let lines = content.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
        var layout = Layout(lines: lines)
        layout.format(0..<lines.count, [])
        return layout.output.joined(separator: "\n")
    }

    private struct Layout {
        let lines: [[String]]
        var output: [String] = []

        /// Writes lines whose first columns have the given widths.
        mutating func format(_ range: Range<Int>, _ widths: [Int]) {
            let column = widths.count
            var start = range.lowerBound, line = range.lowerBound
            while line < range.upperBound {
                guard column < lines[line].count - 1 else {
                    line += 1
                    continue
                }
                write(start..<line, widths)
                var end = line, width = 0
                while end < range.upperBound, column < lines[end].count - 1 {
                    width = max(width, lines[end][column].unicodeScalars.count + TextTable.padding)
                    end += 1
                }
                format(line..<end, widths + [width])
                start = end
                line = end
            }
            write(start..<range.upperBound, widths)
        }

        private mutating func write(_ range: Range<Int>, _ widths: [Int]) {
            for index in range {
                var text = ""
                for (column, cell) in lines[index].enumerated() {
                    text += cell
                    if column < widths.count {
                        text += String(repeating: " ", count: max(0, widths[column] - cell.unicodeScalars.count))
                    }
                }
                output.append(text)
            }
        }
    }
}
