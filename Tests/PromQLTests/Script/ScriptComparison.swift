import PromQL
import RegularExpression
import TSDB

/// Holding an answer against what a script expects. Values may differ by one millionth.
extension Script.Evaluation {
    private static let tolerance = 1e-6

    /// What is wrong with the answer, or `nil`.
    func complaint(about answer: ScriptAnswer) -> String? {
        if let texts = answer.warnings, let complaint = warnings.complaint(about: texts) { return complaint }
        if let texts = answer.infos, let complaint = infos.complaint(about: texts) { return complaint }
        switch (expected, answer.value) {
        case (.scalar(let wanted), .scalar(let value)):
            return nearlyEqual(wanted, value, within: Self.tolerance) ? nil : "\(value) instead of \(wanted)"
        case (.string(let wanted), .string(let text)):
            return wanted == text ? nil : "“\(text)” instead of “\(wanted)”"
        case (.series(let rows), .vector(let samples)):
            return isOrdered ? complaintInOrder(rows, samples) : complaint(rows, samples)
        case (.series(let rows), .matrix(let series)):
            guard case .range(let start, let end, let step) = times else { return "a range vector" }
            return complaint(rows, series, start: start, end: end, step: step)
        case (.rangeVector(let rows, let start, let end, let step), .matrix(let series)):
            return complaint(rows, series, start: start, end: end, step: step)
        default: return "an answer of another kind: \(answer.value)"
        }
    }

    private func complaint(_ rows: [Script.Series], _ samples: [PlainSample]) -> String? {
        var rest = samples
        for row in rows {
            guard let index = rest.firstIndex(where: { $0.labels == row.labels }) else { return "no \(row.labels)" }
            if let complaint = complaint(row, rest.remove(at: index)) { return complaint }
        }
        return rest.first.map { "unexpected \($0.labels) \($0.text)" }
    }

    private func complaintInOrder(_ rows: [Script.Series], _ samples: [PlainSample]) -> String? {
        guard rows.count == samples.count else { return "\(samples.count) elements instead of \(rows.count)" }
        for (row, sample) in zip(rows, samples) {
            guard row.labels == sample.labels else { return "\(sample.labels) where \(row.labels) should stand" }
            if let complaint = complaint(row, sample) { return complaint }
        }
        return nil
    }

    private func complaint(_ row: Script.Series, _ sample: PlainSample) -> String? {
        guard let wanted = row.values.first else { return "\(row.labels): the script gives no value" }
        return wanted.complaint(about: sample.value, sample.histogram, within: Self.tolerance).map { "\(row.labels): \($0)" }
    }

    private func complaint(
        _ rows: [Script.Series], _ series: [PlainSeries], start: Int64, end: Int64, step: Int64
    ) -> String? {
        for (earlier, later) in zip(series, series.dropFirst()) where !(earlier.labels < later.labels) {
            return "\(later.labels) behind \(earlier.labels): not sorted"
        }
        var rest = series
        for row in rows {
            var wanted: [Int64: Script.Item] = [:]
            for (index, item) in row.values.enumerated() {
                let time = start + Int64(index) * step
                if case .gap = item { continue }
                if time > end { return "\(row.labels): the script gives values behind the end" }
                wanted[time] = item
            }
            guard let index = rest.firstIndex(where: { $0.labels == row.labels }) else {
                if wanted.isEmpty { continue }
                return "no \(row.labels)"
            }
            for point in rest.remove(at: index).points {
                guard let item = wanted.removeValue(forKey: point.time) else {
                    return "\(row.labels): unexpected \(point.text) at \(point.time) ms"
                }
                if let complaint = item.complaint(about: point.value, point.histogram, within: Self.tolerance) {
                    return "\(row.labels) at \(point.time) ms: \(complaint)"
                }
            }
            if let missing = wanted.keys.min() { return "\(row.labels): nothing at \(missing) ms" }
        }
        return rest.first.map { "unexpected \($0.labels)" }
    }
}

extension Script.Notes {
    /// Each wanted note must be met by a text, and where some are wanted, each text by one of them.
    func complaint(about texts: [String]) -> String? {
        if isForbidden, let text = texts.first { return "unexpected annotation: \(text)" }
        if wanted.isEmpty { return nil }
        for note in wanted where !texts.contains(where: note.isMet) {
            return "no annotation like \(note) among \(texts)"
        }
        return texts.first { text in !wanted.contains { $0.isMet(by: text) } }.map { "unexpected annotation: \($0)" }
    }
}

extension Script.Note {
    func isMet(by text: String) -> Bool {
        switch self {
        case .any: return true
        case .text(let wanted): return wanted == text
        case .regex(let pattern):
            // Ours are anchored; upstream's may match anywhere.
            guard let pattern = try? Pattern(".*(?:\(pattern)).*") else { return false }
            var text = text
            return text.withUTF8 { pattern.matches(UnsafeRawBufferPointer($0)) }
        }
    }
}

extension PlainValue {
    var isVectorOrScalar: Bool {
        switch self {
        case .vector, .scalar: return true
        case .string, .matrix: return false
        }
    }

    /// The step at `time` of a range answer, in the shape of the instant answer `other`.
    func instant(at time: Int64, like other: PlainValue) -> PlainValue {
        guard case .matrix(let series) = self else { return self }
        let samples = series.compactMap { row in
            row.points.first { $0.time == time }.map {
                PlainSample(labels: row.labels, value: $0.value, histogram: $0.histogram)
            }
        }
        if case .scalar = other, let sample = samples.first { return .scalar(sample.value) }
        return .vector(samples)
    }
}
