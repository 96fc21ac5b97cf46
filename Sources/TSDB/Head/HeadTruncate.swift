import Synchronization

extension Head {
    /// Series looked at under one hold of the store's lock.
    private static let truncationStride = 2048

    /// Drops chunks that end before `time`, and series that have nothing left and no sample at or behind it; those that never had one, at the
    /// second look. Returns how many series went.
    func truncate(before time: Int64) -> Int {
        let all = index.withLock { $0.all }
        var emptied: [SeriesRef] = []
        var position = 0
        while position < all.count {
            let end = min(position + Self.truncationStride, all.count)
            store.withLock { store in
                for slot in all[position..<end] where store.truncate(slot, before: time) {
                    emptied.append(SeriesRef(slot: slot, generation: store.series[Int(slot)].pointee.generation))
                }
                if store.minTime < time { store.minTime = min(time, store.maxTime) }
            }
            position = end
        }
        guard !emptied.isEmpty else { return 0 }
        return index.withLock { index in
            store.withLock { store in
                // Looked at again under both locks: a sample may have come meanwhile.
                let gone = emptied.filter { reference in
                    guard let place = store.find(reference), index.isLive(reference) else { return false }
                    return place.pointee.isVacant(before: time)
                }.map(\.slot)
                for slot in gone { store.drop(slot) }
                index.remove(gone)
                return gone.count
            }
        }
    }
}
