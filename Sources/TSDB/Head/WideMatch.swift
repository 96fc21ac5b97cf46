/// A pattern that many values of one label satisfy: `instance=~"host-1.*"`.
///
///     postings    merge 111 lists of 194 series into one              good where nothing else narrows the selection
///     accepts     look at the label of each of 240 series             good where something else does
struct WideMatch {
    private let name: UInt32
    /// Ascending.
    private let values: [UInt32]
    /// Series that have one of the values.
    let seriesCount: Int

    init(name: UInt32, values: [UInt32], in index: borrowing LabelIndex) {
        self.name = name
        var total = 0
        for value in values { total += index.postings[UInt64(name) << 32 | UInt64(value)]?.count ?? 0 }
        self.values = values.sorted()
        seriesCount = total
    }

    func postings(in index: borrowing LabelIndex) -> [UInt32] {
        var lists: [[UInt32]] = []
        for value in values {
            if let list = index.postings[UInt64(name) << 32 | UInt64(value)], !list.isEmpty { lists.append(list) }
        }
        return Postings.union(lists)
    }

    func accepts(_ identity: LabelIndex.Identity) -> Bool {
        guard let pairs = identity.pairs else { return false }
        for pair in 0..<Int(identity.count) where pairs[pair * 2] == name { return isAmong(pairs[pair * 2 + 1]) }
        return false
    }

    private func isAmong(_ value: UInt32) -> Bool {
        var low = 0, high = values.count
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < values.count && values[low] == value
    }
}
