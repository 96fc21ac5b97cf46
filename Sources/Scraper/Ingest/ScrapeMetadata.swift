import Exposition
import TSDB

/// Type, help and unit of a metric family, as one target describes it.
public struct MetricMetadata: Equatable, Sendable {
    public var family: String
    public var type: MetricType
    public var help: String
    public var unit: String
}

/// Collects HELP, TYPE and UNIT lines. As long as a page shows the same ones in the same order, each costs one hash.
///
/// A family is forgotten ten good scrapes after its last line.
struct ScrapeMetadata {
    private struct Family {
        var metadata: MetricMetadata
        var seen: UInt32
    }

    /// Good scrapes that a family outlives its last line, as upstream.
    private static let grace: UInt32 = 10

    private var families: [String: Family] = [:]
    /// Hash and family of each line of the last page.
    private var lines: [(hash: UInt64, family: String)] = []
    private var cursor = 0
    private var newLines: [(hash: UInt64, family: String)]?
    private var pass: UInt32 = 0
    private(set) var hasChanged = false

    mutating func beginPass() {
        cursor = 0
        newLines = nil
        pass &+= 1
        hasChanged = false
    }

    mutating func observe(_ kind: ExpositionEntry, _ entry: ExpositionEntryParts, of page: UnsafeRawBufferPointer) {
        let name = bytes(entry.name, of: page), text = bytes(entry.text, of: page)
        let hash = Hash64.combine(Hash64.hash(name), Hash64.hash(text) &+ UInt64(kind.order))
        if newLines == nil, cursor < lines.count, lines[cursor].hash == hash {
            cursor += 1
            return
        }
        if newLines == nil { newLines = Array(lines[..<cursor]) }
        let family = String(decoding: name, as: UTF8.self)
        newLines?.append((hash, family))
        var known =
            families[family]
            ?? Family(
                metadata: MetricMetadata(family: family, type: .unknown, help: "", unit: ""), seen: pass)
        let old = known.metadata
        switch kind {
        case .type: known.metadata.type = entry.type
        case .help: known.metadata.help = entry.isLiteral ? String(decoding: text, as: UTF8.self) : unescaped(text)
        case .unit: known.metadata.unit = entry.isLiteral ? String(decoding: text, as: UTF8.self) : unescaped(text)
        case .series, .histogram, .comment: return
        }
        known.seen = pass
        if families[family] == nil || known.metadata != old { hasChanged = true }
        families[family] = known
    }

    /// The page was good: what it no longer shows ages.
    mutating func finishPass() {
        if newLines == nil, cursor == lines.count {
            // Nothing new; only families that are on their way out need looking at.
            if families.count == 0 || families.count <= lines.count && !hasLeavers { return }
        }
        if let newLines { lines = newLines } else { lines.removeLast(lines.count - cursor) }
        for line in lines { families[line.family]?.seen = pass }
        let count = families.count
        families = families.filter { pass &- $0.value.seen <= Self.grace }
        hasLeavers = families.contains { $0.value.seen != pass }
        if families.count != count { hasChanged = true }
    }

    private var hasLeavers = false

    /// All families, by name.
    var snapshot: [MetricMetadata] { families.values.map(\.metadata).sorted { $0.family < $1.family } }

    private func bytes(_ range: Range<Int>, of page: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: page[range.clamped(to: 0..<page.count)])
    }

    private func unescaped(_ text: UnsafeRawBufferPointer) -> String {
        var bytes: [UInt8] = []
        ExpositionText.unescape(text, quotes: false, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ExpositionEntry {
    fileprivate var order: UInt8 {
        switch self {
        case .series: 0
        case .type: 1
        case .help: 2
        case .unit: 3
        case .comment: 4
        case .histogram: 5
        }
    }
}
