/// One line of the result: what was done, how much of it, what it cost, and how others did.
struct BenchRow: Sendable {
    var group: CaseGroup
    var name: String
    /// `range` or `instant` for queries, `sample` or `series` for what costs are given per.
    var kind: String
    /// Empty where the row is no query.
    var query = ""
    /// Points of the answer, or things of `kind` that one run deals with.
    var units: Int
    /// Samples that one run reads or takes in.
    var samples: Int
    var measurement: Measurement
    var allocations: AllocationCount?
    var others: [OtherRow] = []

    /// Nanoseconds of the processor per unit and per sample.
    var costPerUnit: Double { units == 0 ? .nan : measurement.median.cpu / Double(units) }
    var costPerSample: Double { samples == 0 ? .nan : measurement.median.cpu / Double(samples) }
    /// Samples per second on the wall.
    var samplesPerSecond: Double { Double(samples) / measurement.median.wall * 1e9 }
}

/// How a server over HTTP did the same.
struct OtherRow: Sendable {
    /// As the server names itself, or its URL.
    var name: String
    /// Nanoseconds of its process; `nil` where it does not tell.
    var cpu: Double?
    /// Nanoseconds until the answer was here.
    var wall: Double
    var comparison: AnswerComparison

    /// Our cost over its cost, by processor time where it is known.
    func ratio(of measurement: Measurement) -> Double {
        if let cpu { return measurement.median.cpu / cpu }
        return measurement.median.wall / wall
    }
}
