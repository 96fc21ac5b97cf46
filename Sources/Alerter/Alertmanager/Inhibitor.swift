import TSDB

/// Which alerts are kept quiet because another one fires that says as much.
///
///     rule: source {alertname="NodeDown"}, target {severity="warning"}, equal [instance]
///
///     instance    sources                        a warning with instance="a" asks one place: is any of them firing?
///     "a"      →  NodeDown of a, ends 12:04
///     "b"      →  …
///
/// A missing label equals an empty one. An alert that is on both sides of a rule is not inhibited by another such one. Whether the
/// source is itself silenced or inhibited makes no difference.
///
/// Upstream keeps one source per place and may lose another one with it; here all are kept, and the one that ends last answers.
/// Source: Alertmanager, `inhibit/inhibit.go`.
struct Inhibitor: Sendable {
    private var rules: [RuleState]

    init(_ rules: [InhibitRule]) { self.rules = rules.map(RuleState.init) }

    /// Notes an alert as it is now.
    mutating func update(_ alert: Alert, _ fingerprint: Fingerprint) {
        for index in rules.indices { rules[index].update(alert, fingerprint) }
    }

    /// Forgets alerts that are over.
    mutating func collect(at now: Timestamp) {
        for index in rules.indices { rules[index].collect(at: now) }
    }

    /// The alert that keeps this one quiet, and the rule by which it does.
    mutating func inhibitor(of labels: Labels, at now: Timestamp) -> (source: Fingerprint, rule: Int)? {
        for index in rules.indices {
            if let source = rules[index].source(inhibiting: labels, at: now) { return (source, index) }
        }
        return nil
    }

    func ruleName(_ index: Int) -> String { rules[index].rule.name }
}

extension Inhibitor {
    fileprivate struct RuleState: Sendable {
        let rule: InhibitRule
        private let equalNames: [[UInt8]]
        /// By the values of the equal labels.
        private var places: [Labels: Place] = [:]
        /// Where each source stands.
        private var keys: [Fingerprint: Labels] = [:]

        init(_ rule: InhibitRule) {
            self.rule = rule
            equalNames = rule.equal.map { Array($0.utf8) }
        }

        mutating func update(_ alert: Alert, _ fingerprint: Fingerprint) {
            guard rule.sourceMatchers.allSatisfy({ $0.matches(alert.labels) }) else { return }
            let key = key(alert.labels)
            keys[fingerprint] = key
            let isTarget = rule.targetMatchers.allSatisfy { $0.matches(alert.labels) }
            places[key, default: Place()].set(
                fingerprint, Source(endsAt: alert.endsAt ?? .max, isTarget: isTarget))
        }

        mutating func collect(at now: Timestamp) {
            for (fingerprint, key) in keys where places[key]?.removes(fingerprint, endedBy: now) ?? true {
                keys[fingerprint] = nil
                if places[key]?.isEmpty ?? false { places[key] = nil }
            }
        }

        mutating func source(inhibiting labels: Labels, at now: Timestamp) -> Fingerprint? {
            if places.isEmpty || !rule.targetMatchers.allSatisfy({ $0.matches(labels) }) { return nil }
            let key = key(labels)
            if places[key] == nil { return nil }
            let isSource = rule.sourceMatchers.allSatisfy { $0.matches(labels) }
            return places[key]?.latest(onlySources: isSource, at: now)
        }

        /// The equal labels of an alert; those that it lacks are left out.
        private func key(_ labels: Labels) -> Labels {
            if equalNames.isEmpty { return Labels() }
            var packed: [UInt8] = []
            labels.forEachPair { name, value in
                guard equalNames.contains(where: { name.elementsEqual($0) }) else { return }
                packed.appendLabelPart(name)
                packed.appendLabelPart(value)
            }
            return Labels(uncheckedPacked: packed)
        }
    }

    fileprivate struct Source: Sendable {
        var endsAt: Timestamp
        /// It is on the target's side as well.
        var isTarget: Bool
    }

    /// Sources with equal labels.
    fileprivate struct Place: Sendable {
        private enum Latest: Sendable { case unknown, nobody, source(Fingerprint) }

        private var sources: [Fingerprint: Source] = [:]
        /// The one that ends last: of all, and of those that are no targets. Looked for again when asked after it changed.
        private var latestOfAll = Latest.unknown
        private var latestOfSources = Latest.unknown

        var isEmpty: Bool { sources.isEmpty }

        mutating func set(_ fingerprint: Fingerprint, _ source: Source) {
            sources[fingerprint] = source
            latestOfAll = after(latestOfAll, fingerprint, source)
            if !source.isTarget { latestOfSources = after(latestOfSources, fingerprint, source) }
        }

        /// The answer after a source was set: it, where it ends later than the one before; unknown where it is the one before.
        private func after(_ old: Latest, _ fingerprint: Fingerprint, _ source: Source) -> Latest {
            switch old {
            case .unknown: return .unknown
            case .nobody: return .source(fingerprint)
            case .source(fingerprint): return .unknown
            case .source(let latest):
                guard let other = sources[latest] else { return .unknown }
                return (other.endsAt, fingerprint) < (source.endsAt, latest) ? .source(fingerprint) : old
            }
        }

        /// Removes a source that is over; whether it is gone.
        mutating func removes(_ fingerprint: Fingerprint, endedBy now: Timestamp) -> Bool {
            guard let source = sources[fingerprint] else { return true }
            if source.endsAt > now { return false }
            sources[fingerprint] = nil
            latestOfAll = .unknown
            latestOfSources = .unknown
            return true
        }

        mutating func latest(onlySources: Bool, at now: Timestamp) -> Fingerprint? {
            if case .unknown = onlySources ? latestOfSources : latestOfAll {
                let best =
                    sources.filter { !onlySources || !$0.value.isTarget }
                    .max { ($0.value.endsAt, $1.key) < ($1.value.endsAt, $0.key) }?.key
                let answer: Latest = if let best { .source(best) } else { .nobody }
                if onlySources { latestOfSources = answer } else { latestOfAll = answer }
            }
            guard case .source(let answer) = onlySources ? latestOfSources : latestOfAll,
                let source = sources[answer], source.endsAt > now
            else { return nil }
            return answer
        }
    }
}
