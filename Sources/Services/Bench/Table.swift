/// An aligned table for a terminal: numbers to the right, headings between groups of rows, never wider than a bound.
///
///     histogram_quantile over rates of 5 minutes    ← heading
///       by (le)          range    241    170 ms     ← a row; the first column gives way where the line is too long
struct Table {
    enum Alignment: Sendable { case left, right }

    /// What a cell says beyond its text; shown as a colour on a terminal.
    enum Tone: Sendable { case plain, strong, faint, good, bad }

    struct Cell: Sendable {
        var text: String
        var tone = Tone.plain
        init(_ text: String, _ tone: Tone = .plain) {
            self.text = text
            self.tone = tone
        }
    }

    private enum Line {
        case heading(String)
        case row([Cell])
    }

    let columns: [(title: String, alignment: Alignment)]
    private var lines: [Line] = []

    init(_ columns: [(title: String, alignment: Alignment)]) {
        precondition(!columns.isEmpty, "a table without columns")
        self.columns = columns
    }

    mutating func add(heading: String) { lines.append(.heading(heading)) }

    /// `cells` has one entry per column.
    mutating func add(row cells: [Cell]) {
        precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
        lines.append(.row(cells))
    }

    /// The whole table, each line ended by a line break. Characters are taken for one column wide.
    func rendered(width limit: Int = 100, colours: Bool = false) -> String {
        let widths = widths(limit)
        var text = line(columns.map { Cell($0.title, .faint) }, widths, colours)
        for entry in lines {
            switch entry {
            case .heading(let heading): text += Self.paint(String(heading.prefix(limit)), .strong, colours) + "\n"
            case .row(let cells): text += line(cells, widths, colours)
            }
        }
        return text
    }

    private static let indent = "  "
    private static let gap = "  "
    /// The first column keeps so much, however narrow the terminal.
    private static let least = 12

    private func widths(_ limit: Int) -> [Int] {
        var widths = columns.map(\.title.count)
        for case .row(let cells) in lines {
            for index in cells.indices { widths[index] = max(widths[index], cells[index].text.count) }
        }
        let total = Self.indent.count + widths.reduce(0, +) + Self.gap.count * (widths.count - 1)
        if total > limit { widths[0] = max(Self.least, widths[0] - (total - limit)) }
        return widths
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ colours: Bool) -> String {
        var result = Self.indent
        for index in cells.indices {
            if index > 0 { result += Self.gap }
            var text = cells[index].text
            if text.count > widths[index] { text = text.prefix(widths[index] - 1) + "…" }
            let padding = String(repeating: " ", count: widths[index] - text.count)
            let painted = Self.paint(text, cells[index].tone, colours)
            switch columns[index].alignment {
            case .right: result += padding + painted
            case .left: result += index == cells.count - 1 ? painted : painted + padding
            }
        }
        return result + "\n"
    }

    private static func paint(_ text: String, _ tone: Tone, _ colours: Bool) -> String {
        guard colours, !text.isEmpty else { return text }
        let code: String
        switch tone {
        case .plain: return text
        case .strong: code = "1"
        case .faint: code = "2"
        case .good: code = "32"
        case .bad: code = "31"
        }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }
}
