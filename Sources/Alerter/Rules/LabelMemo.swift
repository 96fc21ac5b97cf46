import TSDB

/// What a rule makes of the label sets of its result, remembered from cycle to cycle.
///
///     result of this cycle    {job="a"}  {job="b"}  {job="d"}
///     memo                    {job="a"}  {job="b"}  {job="c"}  {job="d"}
///                                 =          =          ≠ ─ looked up ─▶ =
///     made of it              x{job="a"} …                              the same value as last time
///
/// Results come in the same order nearly always, so a result finds its place by one comparison of bytes; nothing is built or
/// hashed. The value given back is the one given before, so comparing it later compares addresses.
struct LabelMemo {
    private var sources: [Labels] = []
    private var made: [Labels] = []
    private var places: [Labels: Int] = [:]
    private var next = 0

    mutating func beginCycle() { next = 0 }

    mutating func labels(for source: Labels, make: (Labels) -> Labels) -> Labels {
        if next < sources.count, sources[next] == source {
            next += 1
            return made[next - 1]
        }
        if let place = places[source] {
            next = place + 1
            return made[place]
        }
        let result = make(source)
        places[source] = sources.count
        sources.append(source)
        made.append(result)
        next = sources.count
        return result
    }

    /// Forgets everything once most of it is of results that no longer come; the next cycle makes what it needs.
    mutating func endCycle(resultCount: Int) {
        if sources.count > 2 * resultCount + 64 { self = LabelMemo() }
    }
}
