import Exposition

/// A metrics page as it was recorded, ready to be told again at other times.
///
///     page 1   c_total 10   g 4       ─▶   c_total 10 t₀    c_total 12 t₁    c_total 15 t₂ …
///     page 2   c_total 20   g 2            g 4 t₀           g 3.5 t₁         g 3 t₂ …
///
/// Between two pages values move evenly; whole numbers stay whole, and a counter that is smaller on the next page
/// stays as it is until then: that is its reset.
public struct RecordedPage: Sendable {
    struct Sample: Sendable {
        /// As on the page: `name{labels}`.
        var series: String
        var value: Double
        var isCounter: Bool
    }

    private enum Line: Sendable {
        case type(name: String, MetricType)
        case sample(Sample)
    }

    private var lines: [Line] = []
    private var values: [String: Double] = [:]

    /// Reads the text format. Timestamps on the page are dropped.
    public init(_ bytes: [UInt8]) throws(ExpositionError) {
        self = try bytes.withUnsafeBytes { page in
            Result { () throws(ExpositionError) in try RecordedPage(page) }
        }.get()
    }

    private init(_ page: UnsafeRawBufferPointer) throws(ExpositionError) {
        var parser = TextFormat(page)
        func text(_ range: Range<Int>) -> String {
            String(decoding: page[range.clamped(to: 0..<page.count)], as: UTF8.self)
        }
        while let entry = try parser.next() {
            switch entry {
            case .type: lines.append(.type(name: text(parser.entry.name), parser.entry.type))
            case .series:
                let series = String(text(parser.entry.series).drop { $0 == " " || $0 == "\t" })
                let sample = Sample(
                    series: series, value: parser.entry.value, isCounter: Self.isCounter(series, parser.entry.type))
                lines.append(.sample(sample))
                values[series] = sample.value
            case .help, .unit, .comment, .histogram: break
            }
        }
    }

    private static func isCounter(_ series: String, _ type: MetricType) -> Bool {
        switch type {
        case .counter, .histogram: return true
        case .summary:
            let name = series.prefix { $0 != "{" }
            return name.hasSuffix("_sum") || name.hasSuffix("_count")
        default: return false
        }
    }

    /// The page at `fraction` (0..<1) of the way to `next`, with a timestamp in milliseconds on every line.
    func text(towards next: RecordedPage?, _ fraction: Double, at milliseconds: Int64) -> String {
        var text = ""
        for line in lines {
            switch line {
            case .type(let name, let type): text += "# TYPE \(name) \(type == .unknown ? "untyped" : type.rawValue)\n"
            case .sample(let sample):
                let value = Self.between(sample, next?.values[sample.series], fraction)
                text += "\(sample.series) \(ValueText.string(value)) \(milliseconds)\n"
            }
        }
        return text
    }

    private static func between(_ sample: Sample, _ next: Double?, _ fraction: Double) -> Double {
        guard let next, next.isFinite, sample.value.isFinite, !(sample.isCounter && next < sample.value) else {
            return sample.value
        }
        let value = sample.value + (next - sample.value) * fraction
        let areWhole = sample.value.rounded() == sample.value && next.rounded() == next
        return areWhole ? value.rounded(.down) : value
    }
}

/// Recorded pages as a sequence of scrapes, `step` apart, the last one at `end`.
public struct ReplayScript: Sendable {
    /// More would reach further back than an empty database takes samples beside present ones (one hour).
    public static let maximumSteps = 220

    public let bodies: [String]
    public let start: Int64
    public let end: Int64

    /// `stepsPerPage` scrapes lie between one page and the next; times are milliseconds.
    public init(_ pages: [RecordedPage], stepsPerPage: Int, step: Int64, end: Int64) {
        var frames: [(page: RecordedPage, next: RecordedPage?, fraction: Double)] = []
        for (index, page) in pages.enumerated() {
            let next = index + 1 < pages.count ? pages[index + 1] : nil
            for part in 0..<max(1, stepsPerPage) where frames.count < Self.maximumSteps {
                frames.append((page, next, Double(part) / Double(max(1, stepsPerPage))))
            }
        }
        let start = end - step * Int64(max(0, frames.count - 1))
        bodies = frames.enumerated().map { index, frame in
            frame.page.text(towards: frame.next, frame.fraction, at: start + step * Int64(index))
        }
        self.start = start
        self.end = end
    }
}
