import TSDB

/// A server's answer to a query, as `/api/v1/query` and `/api/v1/query_range` give it.
public struct QueryAnswer: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        case success(QueryData)
        /// `errorType` and `error` of the answer.
        case failure(type: String, text: String)
    }

    /// The HTTP status code.
    public var status: Int
    public var outcome: Outcome
    public var warnings: [String]
    public var infos: [String]

    public init(status: Int, outcome: Outcome, warnings: [String] = [], infos: [String] = []) {
        self.status = status
        self.outcome = outcome
        self.warnings = warnings
        self.infos = infos
    }
}

/// The result of a query, in the order in which it came.
public enum QueryData: Sendable, Equatable {
    case scalar(time: Timestamp, Double)
    case string(time: Timestamp, String)
    case vector([QueryElement])
    case matrix([QuerySeries])
}

/// A value at a time: a number, or a native histogram.
public enum QueryValue: Sendable, Equatable {
    case float(Double)
    case histogram(QueryHistogram)
}

/// One element of an instant vector.
public struct QueryElement: Sendable, Equatable {
    public var labels: Labels
    public var time: Timestamp
    public var value: QueryValue

    public init(labels: Labels, time: Timestamp, value: QueryValue) {
        self.labels = labels
        self.time = time
        self.value = value
    }
}

/// One series of a range query. Columns: `times[i]` belongs to `values[i]`.
public struct QuerySeries: Sendable, Equatable {
    public var labels: Labels
    public var times: [Timestamp] = []
    public var values: [Double] = []
    /// Native histograms, which are not among `values`.
    public var histograms: [(time: Timestamp, histogram: QueryHistogram)] = []

    public init(labels: Labels) { self.labels = labels }

    public static func == (a: QuerySeries, b: QuerySeries) -> Bool {
        a.labels == b.labels && a.times == b.times && a.values == b.values
            && a.histograms.elementsEqual(b.histograms) { $0 == $1 }
    }
}
