import Numbers
import TSDB

/// From the labels a target exposes to the labels a series is stored with.
///
///     exposed   {__name__="x", instance="i", code="200"}        target {instance="api:80", job="api"}
///     honor_labels: false   {__name__="x", code="200", exported_instance="i", instance="api:80", job="api"}
///     honor_labels: true    {__name__="x", code="200", instance="i", job="api"}
///     then metric_relabel_configs, then the checks and limits
///
/// Runs once per series. Without a clash and without relabeling, two sorted label sets are merged as bytes.
struct SampleLabels {
    let target: Labels
    let honorLabels: Bool
    let relabelConfigs: [RelabelConfig]
    let limits: ScrapeLimits
    let names: NameValidation

    /// The stored labels, or `nil` where relabeling drops the series. `exposed` is packed.
    func make(_ exposed: [UInt8]) throws(ScrapeError) -> Labels? {
        var labels: Labels
        if relabelConfigs.isEmpty, let merged = merged(exposed) {
            labels = merged
        } else {
            labels = resolved(Labels(uncheckedPacked: exposed))
            if !relabelConfigs.isEmpty {
                guard let relabelled = Relabeling.apply(relabelConfigs, to: labels), !relabelled.isEmpty else { return nil }
                labels = relabelled
            }
        }
        try check(labels)
        return labels
    }

    /// Both sets merged by name; `nil` where a name is in both.
    private func merged(_ exposed: [UInt8]) -> Labels? {
        var packed: [UInt8] = []
        packed.reserveCapacity(exposed.count + target.packed.count)
        let isDisjoint = exposed.withUnsafeBytes { exposed in
            target.packed.withUnsafeBytes { target in
                var left = PackedLabelCursor(exposed), right = PackedLabelCursor(target)
                var a = left.next(), b = right.next()
                while a != nil || b != nil {
                    let order = a == nil ? 1 : b == nil ? -1 : order(a?.name, b?.name)
                    if order == 0 { return false }
                    guard let pair = order < 0 ? a : b else { return false }
                    packed.appendLabelPart(pair.name)
                    packed.appendLabelPart(pair.value)
                    if order < 0 { a = left.next() } else { b = right.next() }
                }
                return true
            }
        }
        return isDisjoint ? Labels(uncheckedPacked: packed) : nil
    }

    private func order(_ a: UnsafeRawBufferPointer?, _ b: UnsafeRawBufferPointer?) -> Int {
        guard let a, let b else { return 0 }
        return a.order(against: b)
    }

    /// Exposed and target labels together, clashes resolved as `honorLabels` says.
    private func resolved(_ exposed: Labels) -> Labels {
        var builder = LabelsBuilder(exposed)
        var clashes: [(name: String, value: String)] = []
        for (name, value) in target.pairs {
            let existing = builder[name]
            if honorLabels {
                if existing.isEmpty { builder.set(name, to: value) }
            } else {
                if !existing.isEmpty { clashes.append((name, existing)) }
                builder.set(name, to: value)
            }
        }
        // Shorter names first, so that `exported_x` finds its place before `exported_exported_x` is asked for.
        clashes.sort { $0.name.utf8.count < $1.name.utf8.count }
        for clash in clashes {
            var name = "exported_" + clash.name
            while !builder[name].isEmpty { name = "exported_" + name }
            builder.set(name, to: clash.value)
        }
        return builder.labels()
    }

    private func check(_ labels: Labels) throws(ScrapeError) {
        guard let metric = labels.metricName else {
            throw ScrapeError(.format, "missing metric name (__name__ label)")
        }
        if names == .legacy {
            let areValid =
                names.isMetricName(metric)
                && labels.pairs.allSatisfy { $0.name == MetricName.label || names.isLabelName($0.name) }
            if !areValid { throw ScrapeError(.format, "invalid metric name or label names: \(labels)") }
        }
        if limits.labels > 0, case let count = labels.count, count > limits.labels {
            throw ScrapeError(
                .limit,
                "label_limit exceeded (metric: \(metric.first50), number of labels: \(count), limit: \(limits.labels))")
        }
        if limits.labelNameLength == 0 && limits.labelValueLength == 0 { return }
        for (name, value) in labels.pairs {
            let nameLength = name.utf8.count, valueLength = value.utf8.count
            if limits.labelNameLength > 0, nameLength > limits.labelNameLength {
                throw ScrapeError(
                    .limit,
                    "label_name_length_limit exceeded (metric: \(metric.first50), label name: \(name.first50), length: \(nameLength), limit: \(limits.labelNameLength))"
                )
            }
            if limits.labelValueLength > 0, valueLength > limits.labelValueLength {
                throw ScrapeError(
                    .limit,
                    "label_value_length_limit exceeded (metric: \(metric.first50), label name: \(name.first50), value: \(QuotedText.go(value.first50)), length: \(valueLength), limit: \(limits.labelValueLength))"
                )
            }
        }
    }
}

extension String {
    /// The first 50 scalars, as Go's `%.50s`.
    fileprivate var first50: String {
        var text = ""
        text.unicodeScalars.append(contentsOf: unicodeScalars.prefix(50))
        return text
    }
}
