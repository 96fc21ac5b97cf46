import TSDB

/// The series that one rule writes: where they are stored, and which of them have just ended.
///
///     cycle 7      a  b  c         beginCycle, claim(a), claim(b), claim(c), finish
///     cycle 8      a     c  d      gone: b ─▶ a stale marker
///
/// References are kept, so that storage is asked once per series. A cycle that fails is abandoned: nothing counts as gone.
///
/// Invariant: `places[slots[i].labels] == i`.
struct RuleSeries {
    struct Slot {
        let labels: Labels
        var reference: SeriesRef?
        /// Written by the last cycle that succeeded.
        var isPresent = false
        /// The last cycle that claimed it.
        fileprivate var cycle = 0
    }

    private(set) var slots: [Slot] = []
    private var places: [Labels: Int] = [:]
    private var cycle = 0
    private var next = 0

    mutating func beginCycle() {
        cycle &+= 1
        next = 0
    }

    /// The slot for `labels`; `isNew` is false where this cycle has claimed it before.
    mutating func claim(_ labels: Labels) -> (slot: Int, isNew: Bool) {
        let slot: Int
        if next < slots.count, slots[next].labels == labels {
            slot = next
        } else if let place = places[labels] {
            slot = place
        } else {
            slot = slots.count
            places[labels] = slot
            slots.append(Slot(labels: labels))
        }
        next = slot + 1
        let isNew = slots[slot].cycle != cycle
        slots[slot].cycle = cycle
        return (slot, isNew)
    }

    mutating func keep(_ reference: SeriesRef?, in slot: Int) { slots[slot].reference = reference }

    /// Slots of the last successful cycle that this one has not claimed.
    var gone: [Int] { slots.indices.filter { slots[$0].isPresent && slots[$0].cycle != cycle } }

    /// This cycle has succeeded: `isStored` says which of the claimed slots were written. All others go.
    mutating func finish(isStored: (Int) -> Bool) {
        var hasLeft = false
        for index in slots.indices {
            slots[index].isPresent = slots[index].cycle == cycle && isStored(index)
            hasLeft = hasLeft || slots[index].cycle != cycle
        }
        guard hasLeft else { return }
        slots.removeAll { $0.cycle != cycle }
        places.removeAll(keepingCapacity: true)
        for (index, slot) in slots.enumerated() { places[slot.labels] = index }
    }

    /// Label sets of the last successful cycle.
    var present: [Labels] { slots.compactMap { $0.isPresent ? $0.labels : nil } }
}
