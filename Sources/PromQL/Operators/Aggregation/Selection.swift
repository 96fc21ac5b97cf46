import Histograms
import TSDB

/// What `topk` and `limitk` chose: a few (value, series) pairs per group and step, then columns again.
enum Selection {
    /// Counts the cells of all heaps before they are allocated, and returns their number.
    static func reserve(
        groups: Groups, width: Int, steps: Int, _ context: QueryContext
    ) throws(QueryError) -> Int {
        var cells = 0
        for size in groupSizes(groups) {
            let (more, overflow) = min(size, width).multipliedReportingOverflow(by: steps)
            let (sum, carry) = cells.addingReportingOverflow(more)
            guard !overflow && !carry && sum < Int.max / SelectionHeaps.bytesPerCell else { cells = -1; break }
            cells = sum
        }
        try context.reserve(samples: cells)
        try context.reserve(bytes: cells * SelectionHeaps.bytesPerCell)
        return cells
    }

    static func groupSizes(_ groups: Groups) -> [Int] {
        var sizes = [Int](repeating: 0, count: groups.labels.count)
        for group in groups.assignment { sizes[Int(group)] += 1 }
        return sizes
    }

    /// One row per series ever chosen; `histograms` are those among the chosen values, by series. In an instant query rows come group by group, in the order of `precedes`.
    static func result(
        _ input: any VectorOperator, _ groups: Groups, _ heaps: SelectionHeaps, _ grid: StepGrid,
        _ context: QueryContext, histograms: [Int: [(step: Int, histogram: FloatHistogram)]] = [:],
        precedes: (Double, Double) -> Bool
    ) throws(QueryError) -> any VectorOperator {
        var rowOf = [Int](repeating: -1, count: input.count)
        var chosen: [Int] = []
        for group in groups.labels.indices {
            for step in 0..<grid.count {
                let heap = heaps.heap(group, step)
                if grid.count == 1 { heap.sort(precedes) }
                for element in 0..<heap.count {
                    let series = Int(heap.series[element])
                    if rowOf[series] < 0 {
                        rowOf[series] = chosen.count
                        chosen.append(series)
                    }
                }
            }
        }
        try context.reserveTable(series: chosen.count, steps: grid.count)
        var labels: [Labels] = []
        labels.reserveCapacity(chosen.count)
        var budget = LabelBudget(context)
        for series in chosen {
            let one = input.labels(at: series)
            try budget.add(one)
            labels.append(one)
        }
        try budget.settle()
        let table = ColumnTable(
            labels: labels, droppedNames: chosen.map { input.dropsName(at: $0) },
            stepCount: grid.count)
        for group in groups.labels.indices {
            for step in 0..<grid.count {
                let heap = heaps.heap(group, step)
                for element in 0..<heap.count {
                    let row = rowOf[Int(heap.series[element])]
                    table.rowValues(row)[step] = heap.values[element]
                    table.rowPresence(row)[step >> 6] |= 1 << UInt64(truncatingIfNeeded: step & 63)
                }
            }
        }
        for (series, chosen) in histograms where rowOf[series] >= 0 {
            for (step, histogram) in chosen { table.set(histogram, at: rowOf[series], step: step) }
        }
        return table
    }
}

/// Bounded heaps in two flat columns, one heap per group and step.
///
///     group 0 (3 series, k = 2)              group 1 (1 series)
///     step 0 [v v]  step 1 [v v] …           step 0 [v]  step 1 [v] …
final class SelectionHeaps {
    static let bytesPerCell = 12
    private let values: UnsafeMutablePointer<Double>
    private let series: UnsafeMutablePointer<UInt32>
    private let counts: UnsafeMutablePointer<Int32>
    /// Per group: where its cells begin, and how many a heap has.
    private let starts: [Int]
    private let widths: [Int]
    private let steps: Int

    init(groups: Groups, width: Int, steps: Int) {
        widths = Selection.groupSizes(groups).map { min($0, width) }
        var starts: [Int] = []
        var total = 0
        for width in widths {
            starts.append(total)
            total += width * steps
        }
        self.starts = starts
        self.steps = steps
        values = .allocate(capacity: max(1, total))
        series = .allocate(capacity: max(1, total))
        counts = .allocate(capacity: max(1, widths.count * steps))
        counts.initialize(repeating: 0, count: max(1, widths.count * steps))
    }

    deinit {
        values.deallocate()
        series.deallocate()
        counts.deallocate()
    }

    @inline(__always)
    func heap(_ group: Int, _ step: Int) -> SelectionHeap {
        let offset = starts[group] &+ step &* widths[group]
        return SelectionHeap(
            values: values + offset, series: series + offset, counter: counts + (group &* steps &+ step),
            capacity: widths[group])
    }
}

/// A binary heap with its least welcome element on top. A view: the columns are `SelectionHeaps`'.
///
/// Moves are those of Go's `container/heap`, so that among equal values the same one stays as upstream.
struct SelectionHeap {
    let values: UnsafeMutablePointer<Double>
    let series: UnsafeMutablePointer<UInt32>
    let counter: UnsafeMutablePointer<Int32>
    let capacity: Int

    @inline(__always)
    var count: Int { Int(counter.pointee) }

    func append(_ value: Double, _ index: UInt32) {
        values[count] = value
        series[count] = index
        counter.pointee &+= 1
    }

    @inline(__always)
    func push(_ value: Double, _ index: UInt32, _ isWorse: (Double, Double) -> Bool) {
        append(value, index)
        var child = count &- 1
        while child > 0 {
            let parent = (child &- 1) >> 1
            guard isWorse(values[child], values[parent]) else { break }
            swap(child, parent)
            child = parent
        }
    }

    @inline(__always)
    func replaceTop(_ value: Double, _ index: UInt32, _ isWorse: (Double, Double) -> Bool) {
        values[0] = value
        series[0] = index
        var parent = 0
        while true {
            var child = 2 &* parent &+ 1
            guard child < count else { break }
            if child &+ 1 < count && isWorse(values[child &+ 1], values[child]) { child &+= 1 }
            guard isWorse(values[child], values[parent]) else { break }
            swap(child, parent)
            parent = child
        }
    }

    private func swap(_ a: Int, _ b: Int) {
        (values[a], values[b]) = (values[b], values[a])
        (series[a], series[b]) = (series[b], series[a])
    }

    /// Puts the elements in order; equal ones stay as they stood.
    func sort(_ precedes: (Double, Double) -> Bool) {
        let sorted = (0..<count).map { (value: values[$0], series: series[$0], place: $0) }
            .sorted { precedes($0.value, $1.value) || (!precedes($1.value, $0.value) && $0.place < $1.place) }
        for (place, element) in sorted.enumerated() {
            values[place] = element.value
            series[place] = element.series
        }
    }
}
