import JSON
import NIOCore
import Numbers
import TSDB

/// From the API's JSON to `QueryAnswer`, in one pass.
///
///     {"status":"success","data":{"resultType":"matrix","result":[{"metric":{…},"values":[[t,"v"],…]}]},"warnings":[…]}
///     {"status":"error","errorType":"bad_data","error":"…"}
///
/// Members may come in any order, unknown ones are skipped; `result` before `resultType` is read once the type is
/// known.
extension QueryAnswer {
    /// Throws `.malformed` where the answer is not JSON of this shape, and `.refused` where a proxy answered instead.
    public init(decoding answer: ClientAnswer) throws(ClientError) {
        let status = answer.status
        let decoded: Result<QueryAnswer, JSONError> = answer.body.withUnsafeReadableBytes { bytes in
            var decoder = QueryAnswerDecoder(bytes)
            return Result { () throws(JSONError) in try decoder.answer(status: status) }
        }
        switch decoded {
        case .success(let decoded): self = decoded
        case .failure(let error):
            try answer.requireSuccess()
            throw ClientError(error)
        }
    }
}

private struct QueryAnswerDecoder {
    /// Labels one series may have; more is not an answer of a monitoring system.
    static let maximumLabels = 1000

    private let bytes: UnsafeRawBufferPointer
    private var reader: JSONReader

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        reader = JSONReader(bytes)
    }

    mutating func answer(status code: Int) throws(JSONError) -> QueryAnswer {
        var status = "", type = "", text = ""
        var data: QueryData?
        var warnings: [String] = [], infos: [String] = []
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "status": status = try reader.string()
            case "errorType": type = try reader.string()
            case "error": text = try reader.string()
            case "warnings": warnings = try strings()
            case "infos": infos = try strings()
            case "data" where try reader.kind() == .object: data = try self.data()
            default: try reader.skip()
            }
        }
        try reader.finish()
        switch (status, data) {
        case ("success", let data?):
            return QueryAnswer(status: code, outcome: .success(data), warnings: warnings, infos: infos)
        case ("error", _):
            return QueryAnswer(
                status: code, outcome: .failure(type: type, text: text), warnings: warnings, infos: infos)
        default: throw reader.error("neither a success with data nor an error")
        }
    }

    private mutating func strings() throws(JSONError) -> [String] {
        var result: [String] = []
        guard try reader.kind() != .null else {
            try reader.null()
            return []
        }
        try reader.beginArray()
        while try reader.nextElement() { result.append(try reader.string()) }
        return result
    }

    private mutating func data() throws(JSONError) -> QueryData? {
        var type: String?
        var data: QueryData?
        var postponed: JSONReader?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "resultType": type = try reader.string()
            case "result":
                if let type {
                    data = try result(type)
                } else {
                    postponed = reader
                    try reader.skip()
                }
            default: try reader.skip()
            }
        }
        if data == nil, let type, let start = postponed {
            let end = reader
            reader = start
            data = try result(type)
            reader = end
        }
        return data
    }

    private mutating func result(_ type: String) throws(JSONError) -> QueryData {
        switch type {
        case "scalar":
            let (time, text) = try pair()
            return .scalar(time: time, try number(text))
        case "string":
            let (time, text) = try pair()
            return .string(time: time, text)
        case "vector":
            var elements: [QueryElement] = []
            try reader.beginArray()
            while try reader.nextElement() { elements.append(try element()) }
            return .vector(elements)
        case "matrix":
            var all: [QuerySeries] = []
            try reader.beginArray()
            while try reader.nextElement() { all.append(try series()) }
            return .matrix(all)
        default: throw reader.error("an unknown resultType")
        }
    }

    private mutating func element() throws(JSONError) -> QueryElement {
        var labels = Labels()
        var point: (Timestamp, QueryValue)?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "metric": labels = try self.labels()
            case "value":
                let (time, value) = try floatPair()
                point = (time, .float(value))
            case "histogram":
                let (time, histogram) = try histogramPair()
                point = (time, .histogram(histogram))
            default: try reader.skip()
            }
        }
        guard let (time, value) = point else { throw reader.error("an element without a value") }
        return QueryElement(labels: labels, time: time, value: value)
    }

    private mutating func series() throws(JSONError) -> QuerySeries {
        var series = QuerySeries(labels: Labels())
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "metric": series.labels = try labels()
            case "values":
                try reader.beginArray()
                while try reader.nextElement() {
                    let (time, value) = try floatPair()
                    series.times.append(time)
                    series.values.append(value)
                }
            case "histograms":
                try reader.beginArray()
                while try reader.nextElement() { series.histograms.append(try histogramPair()) }
            default: try reader.skip()
            }
        }
        return series
    }

    private mutating func labels() throws(JSONError) -> Labels {
        var pairs: [(name: String, value: String)] = []
        try reader.beginObject()
        while let name = try reader.nextKey() {
            guard pairs.count < Self.maximumLabels else { throw reader.error("a series with more than 1000 labels") }
            pairs.append((name, try reader.string()))
        }
        return Labels(pairs)
    }

    // MARK: Points

    /// `[1435781451.781, "…"]`
    private mutating func pair() throws(JSONError) -> (Timestamp, String) {
        let time = try openPair()
        let text = try reader.string()
        try closePair()
        return (time, text)
    }

    private mutating func floatPair() throws(JSONError) -> (Timestamp, Double) {
        let time = try openPair()
        let value = try quotedNumber()
        try closePair()
        return (time, value)
    }

    private mutating func histogramPair() throws(JSONError) -> (time: Timestamp, histogram: QueryHistogram) {
        let time = try openPair()
        let histogram = try histogram()
        try closePair()
        return (time, histogram)
    }

    /// `{"count":"42","sum":"34593.34","buckets":[[3,"-0.25","0.25","3"],…]}`
    private mutating func histogram() throws(JSONError) -> QueryHistogram {
        var histogram = QueryHistogram(count: 0, sum: 0)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "count": histogram.count = try quotedNumber()
            case "sum": histogram.sum = try quotedNumber()
            case "buckets":
                try reader.beginArray()
                while try reader.nextElement() { histogram.buckets.append(try bucket()) }
            default: try reader.skip()
            }
        }
        return histogram
    }

    private mutating func bucket() throws(JSONError) -> QueryHistogram.Bucket {
        func expect(_ isThere: Bool) throws(JSONError) {
            guard isThere else { throw reader.error("a bucket of less than four parts") }
        }
        try reader.beginArray()
        try expect(try reader.nextElement())
        guard let number = Int(exactly: try reader.number()), let bounds = QueryHistogram.Bounds(rawValue: number) else {
            throw reader.error("a bucket with unknown bounds")
        }
        try expect(try reader.nextElement())
        let lower = try quotedNumber()
        try expect(try reader.nextElement())
        let upper = try quotedNumber()
        try expect(try reader.nextElement())
        let count = try quotedNumber()
        guard try !reader.nextElement() else { throw reader.error("a bucket of more than four parts") }
        return QueryHistogram.Bucket(bounds: bounds, lower: lower, upper: upper, count: count)
    }

    private mutating func quotedNumber() throws(JSONError) -> Double {
        let value = try reader.withString { NumberText.parse($0) }
        guard let value else { throw reader.error("a value that is not a number") }
        return value
    }

    private mutating func openPair() throws(JSONError) -> Timestamp {
        try reader.beginArray()
        guard try reader.nextElement() else { throw reader.error("a point without a time") }
        let seconds = try reader.number()
        // Bounded, so that differences of times cannot overflow.
        guard let milliseconds = Int64(exactly: (seconds * 1000).rounded()), milliseconds.magnitude < 1 << 60 else {
            throw reader.error("a time outside the range of times")
        }
        guard try reader.nextElement() else { throw reader.error("a point without a value") }
        return Timestamp(milliseconds: milliseconds)
    }

    private mutating func closePair() throws(JSONError) {
        guard try !reader.nextElement() else { throw reader.error("a point of more than two parts") }
    }

    private func number(_ text: String) throws(JSONError) -> Double {
        guard let value = NumberText.parse(text) else { throw reader.error("a value that is not a number") }
        return value
    }
}
