import TSDB

/// Whatever changes a series' meaning takes its name away: `rate(x_total)` is no `x_total` any more.
///
///     rate(x_total{job="a", __name__="x_total"}[5m])  →  {job="a"}
///
/// With the name go `__type__` and `__unit__`, which describe it. Two series that differed by name alone then have
/// equal labels; whether that is an error or a merge is the operator's business (`DistinctRows`).
public enum NameDropping {
    public static let labels = [MetricName.label, "__type__", "__unit__"]

    /// What goes besides the name. Where all series share it, as nearly always, a pinned name leaves them distinct.
    static let beside = Grouping.by(["__type__", "__unit__"])

    /// The grouping that does to full labels what `grouping` does to labels without a name. Lets an operator hand a
    /// grouping on to storage.
    public static func beneath(_ grouping: Grouping) -> Grouping {
        switch grouping {
        case .by(let names): return .by(names.filter { !labels.contains($0) })
        case .without(let names): return .without(names + labels.filter { !names.contains($0) })
        }
    }
}

extension Labels {
    /// The labels without name, type and unit.
    public func droppingName() -> Labels {
        filtered { name in
            // Few labels begin with two underscores; the others need no further look.
            guard name.count > 2, name[0] == UInt8(ascii: "_"), name[1] == UInt8(ascii: "_") else { return true }
            return !NameDropping.labels.contains { $0.utf8.elementsEqual(name) }
        }
    }
}
