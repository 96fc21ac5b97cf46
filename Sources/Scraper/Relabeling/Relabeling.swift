import Digest
import RegularExpression
import TSDB

/// Relabeling: rules that rewrite or drop a label set, one after the other.
///
///     {__address__="db-1:9100", env="dev"}
///       keep     env =~ dev|prod                     ✓
///       replace  __address__ (.*):\d+ → host=$1       {…, host="db-1"}
///       hashmod  host mod 2 → shard                   {…, shard="1"}
///
/// Used for targets (discovered labels), for every new series of a scrape, and for alerts and remote write.
/// A rule that does not apply does nothing; only keep, drop, keepequal and dropequal decide over the whole set.
public enum Relabeling {
    /// Applies `rules` in order; returns false as soon as one drops the set, which then must not be used.
    public static func apply(_ rules: [RelabelConfig], to labels: inout LabelsBuilder) -> Bool {
        for rule in rules where !rule.apply(to: &labels) { return false }
        return true
    }

    /// The relabelled set, or `nil` where it was dropped.
    public static func apply(_ rules: [RelabelConfig], to labels: Labels) -> Labels? {
        if rules.isEmpty { return labels }
        var builder = LabelsBuilder(labels)
        return apply(rules, to: &builder) ? builder.labels() : nil
    }
}

extension RelabelConfig {
    /// Applies this rule; returns whether the set is kept.
    public func apply(to labels: inout LabelsBuilder) -> Bool {
        let source = sourceLabels.map { labels[$0] }.joined(separator: separator)
        switch action {
        case .keep: return regex.matches(source)
        case .drop: return !regex.matches(source)
        case .keepequal: return labels[targetLabel].utf8.elementsEqual(source.utf8)
        case .dropequal: return !labels[targetLabel].utf8.elementsEqual(source.utf8)
        case .replace: replace(source, in: &labels)
        case .lowercase: labels.set(targetLabel, to: Self.mapped(source) { $0.lowercaseMapping })
        case .uppercase: labels.set(targetLabel, to: Self.mapped(source) { $0.uppercaseMapping })
        case .hashmod:
            // A modulus of zero never passes validation; nothing sensible can be written for it.
            if modulus > 0 { labels.set(targetLabel, to: String(MD5.low64(source) % modulus)) }
        case .labelmap:
            // All matches first: labels made by one rule are not its own sources.
            let mapped = labels.pairs.compactMap { pair in
                regex.captures(in: pair.name).map { ($0.expand(template: replacement), pair.value) }
            }
            for (name, value) in mapped where !name.isEmpty { labels.set(name, to: value) }
        case .labeldrop: labels.removeAll { regex.matches($0) }
        case .labelkeep: labels.removeAll { !regex.matches($0) }
        }
        return true
    }

    private func replace(_ source: String, in labels: inout LabelsBuilder) {
        // The common "set a label" rule needs no matching.
        if source.isEmpty, hasStandardRegex, !Self.hasReference(targetLabel), !Self.hasReference(replacement) {
            labels.set(targetLabel, to: replacement)
            return
        }
        guard let captures = regex.captures(in: source) else { return }
        let target = captures.expand(template: targetLabel)
        guard !target.isEmpty else { return }
        // An empty result removes the label.
        labels.set(target, to: captures.expand(template: replacement))
    }

    private static func hasReference(_ template: String) -> Bool { template.utf8.contains(UInt8(ascii: "$")) }

    /// Go's ToLower and ToUpper: scalar by scalar, only mappings to one scalar (`ß` stays `ß`).
    private static func mapped(_ text: String, _ mapping: (Unicode.Scalar.Properties) -> String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let mapped = mapping(scalar.properties).unicodeScalars
            result.unicodeScalars.append(mapped.count == 1 ? mapped[mapped.startIndex] : scalar)
        }
        return result
    }
}
