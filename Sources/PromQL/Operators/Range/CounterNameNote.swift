import Numbers
import Synchronization
import TSDB

/// The remark that `rate` or `increase` may have met something that is no counter, by its name.
///
/// Looking at the name of each of 62,000 series would cost more than their rates. Where the selector pins the name, it
/// is known beforehand: then either nothing is to be said, or one series with a value is enough.
final class CounterNameNote: Sendable {
    /// The name that the selector asks for with `=`; `nil` where series may have different names.
    private let pinned: String?
    private let range: Range<Int>
    private let isSaid = Atomic<Bool>(false)

    /// `nil` where there is nothing to look for. `range` is the argument's place in the query.
    init?(pinnedName: String?, at range: Range<Int>) {
        if let pinnedName, Self.looksLikeCounter(pinnedName) { return nil }
        pinned = pinnedName
        self.range = range
    }

    /// Series `index` of `source` has given a value.
    func check(_ index: Int, _ source: any RangeSource, _ context: QueryContext) {
        if let pinned {
            if !isSaid.exchange(true, ordering: .relaxed) { say(pinned, context) }
        } else if let name = source.labels(at: index).metricName, !Self.looksLikeCounter(name) {
            say(name, context)
        }
    }

    private func say(_ name: String, _ context: QueryContext) {
        context.annotate(
            .info,
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \(name.goQuoted)", at: range)
    }

    private static func looksLikeCounter(_ name: String) -> Bool {
        name.isEmpty || ["_total", "_sum", "_count", "_bucket"].contains { name.utf8.ends(with: $0.utf8) }
    }
}

extension Collection where Element: Equatable {
    func ends(with suffix: some Collection<Element>) -> Bool {
        count >= suffix.count && dropFirst(count - suffix.count).elementsEqual(suffix)
    }
}

extension String {
    /// In double quotes as Go's `%q` writes it.
    var goQuoted: String { QuotedText.go(self) }
}
