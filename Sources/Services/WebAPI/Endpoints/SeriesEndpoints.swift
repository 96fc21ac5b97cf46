import HTTPServer
import NIOCore
import Numbers
import PromQL
import TSDB

/// `/api/v1/series`, `/api/v1/labels`, `/api/v1/label/<name>/values`: what there is to ask about.
extension WebAPI {
    func addSeries(to routes: inout Routes) {
        routes.on([.get, .post], "/api/v1/series") { request throws(APIError) in
            let parameters = request.parameters
            if parameters.all("match[]").isEmpty { throw APIError(.badData, "no match[] parameter provided") }
            let database = try self.parts().database
            return try await search(request) { context throws(SearchStop) in
                let question = try SeriesQuestion.read(parameters) { APIError.invalidParameter("match[]", $0) }
                return try question.series(in: database, context)
            }
        }
        routes.on([.get, .post], "/api/v1/labels") { request throws(APIError) in
            let parameters = request.parameters
            let database = try self.parts().database
            return try await search(request) { context throws(SearchStop) in
                let question = try SeriesQuestion.read(parameters) { APIError(.badData, $0) }
                return try question.strings(context) { matchers throws(TSDBError) in
                    try database.labelNames(matchers, from: question.start, through: question.end)
                }
            }
        }
        routes.on([.get], prefix: "/api/v1/label/", suffix: "/values") { request, escaped throws(APIError) in
            let name = EscapedName.unescape(escaped)
            if name.isEmpty { throw APIError(.badData, "invalid label name: \(QuotedText.go(name))") }
            let parameters = request.parameters
            let database = try self.parts().database
            return try await search(request) { context throws(SearchStop) in
                let question = try SeriesQuestion.read(parameters) { APIError(.badData, $0) }
                return try question.strings(context) { matchers throws(TSDBError) in
                    try database.labelValues(name, matchers, from: question.start, through: question.end)
                }
            }
        }
    }

    /// Searches series in the lanes, bounded as a query is: patterns and selectors can make it as long as one.
    func search(
        _ request: APIRequest, _ body: @escaping @Sendable (QueryContext) throws(SearchStop) -> Reply
    ) async throws(APIError) -> Reply {
        let engine = try self.parts().engine
        var key = request.path + "?" + request.query
        let hash = key.withUTF8 { Hash64.hash(UnsafeRawBufferPointer($0), seed: UInt64(request.body.readableBytes)) }
        return try await lanes.run(hash, request.connection, context: { engine.options.context() }) { context in
            do throws(SearchStop) {
                return .answer(.success(try body(context)))
            } catch {
                if case .answer(let failure) = error { return .answer(.failure(failure)) }
                return .tooHeavy
            }
        }
    }
}

/// Why a search has no answer.
enum SearchStop: Error {
    case answer(APIError)
    case tooHeavy

    init(_ error: QueryError) { self = error.code == .heavy ? .tooHeavy : .answer(APIError(error)) }

    /// Runs one step of a search; where storage was asked to stop, the reason is the context's.
    static func during<Value>(
        _ context: QueryContext, _ step: () throws(TSDBError) -> Value
    ) throws(SearchStop) -> Value {
        do throws(QueryError) { try context.check() } catch { throw SearchStop(error) }
        do throws(TSDBError) { return try step() } catch {
            if error.code == .stopped {
                do throws(QueryError) { try context.check() } catch { throw SearchStop(error) }
            }
            throw .answer(APIError(error))
        }
    }

    /// Counts bytes that are about to be held.
    static func reserve(_ bytes: Int, _ context: QueryContext) throws(SearchStop) {
        do throws(QueryError) { try context.reserve(bytes: bytes) } catch { throw SearchStop(error) }
    }
}

/// `match[]`, `start`, `end`, `limit`: which series are meant.
struct SeriesQuestion: Sendable {
    /// Any of these; no selector means all series.
    let selectors: [[Matcher]]
    let start: Timestamp
    let end: Timestamp
    let limit: Int?

    init(_ parameters: Parameters, badMatch: (String) -> APIError) throws(APIError) {
        limit = try parameters.limit()
        start = try parameters.time("start", default: Timestamp(milliseconds: Parameters.limits.lowerBound))
        end = try parameters.time("end", default: Timestamp(milliseconds: Parameters.limits.upperBound))
        var selectors: [[Matcher]] = []
        for text in parameters.all("match[]") {
            do throws(QueryError) {
                selectors.append(try Parser.parseMetricSelector(text))
            } catch {
                throw badMatch(error.positioned(in: text))
            }
        }
        guard selectors.allSatisfy({ $0.contains { !$0.matchesEmpty } }) else {
            throw badMatch("match[] must contain at least one non-empty matcher")
        }
        self.selectors = selectors
    }

    /// The question that the parameters ask. Compiles patterns, which takes a while where there are many.
    static func read(
        _ parameters: Parameters, badMatch: (String) -> APIError
    ) throws(SearchStop) -> SeriesQuestion {
        do throws(APIError) { return try SeriesQuestion(parameters, badMatch: badMatch) } catch { throw .answer(error) }
    }

    /// The label sets, each once: of one selector in storage's order, as upstream answers, of several sorted.
    func series(in storage: any Queryable, _ context: QueryContext) throws(SearchStop) -> Reply {
        if selectors.count == 1 {
            let set = try SearchStop.during(context) { () throws(TSDBError) in
                try storage.select(selectors[0], from: start, through: end, stop: { context.shouldStop })
            }
            // As JSON; labels are some 200 bytes.
            try SearchStop.reserve(min(set.count, limit ?? set.count) * 256, context)
            return reply(total: set.count) { set.labels(at: $0) }
        }
        var found: Set<Labels> = []
        for matchers in selectors {
            let set = try SearchStop.during(context) { () throws(TSDBError) in
                try storage.select(matchers, from: start, through: end, stop: { context.shouldStop })
            }
            for index in 0..<set.count {
                let labels = set.labels(at: index)
                // The set, the sorted list, and as JSON.
                if found.insert(labels).inserted { try SearchStop.reserve(labels.packed.count * 3 + 128, context) }
                if index & 1023 == 0 { try SearchStop.during(context) { () throws(TSDBError) in } }
            }
        }
        let all = Array(found)
        let order = LabelOrder.sorted(all)
        return reply(total: all.count) { all[order[$0]] }
    }

    /// Written at once, in pieces that need not be copied together: the answer may be megabytes.
    private func reply(total: Int, labels: (Int) -> Labels) -> Reply {
        let kept = min(total, limit ?? total)
        var json = JSONText(capacity: 4096)
        var pieces: [ByteBuffer] = []
        json.append("{\"status\":\"success\",\"data\":[")
        for index in 0..<kept {
            if index > 0 { json.append(byte: UInt8(ascii: ",")) }
            json.append(labels(index))
            if json.count >= ResultRenderer.pieceSize { pieces.append(json.take()) }
        }
        json.append("]")
        json.appendNotes(warnings: kept < total ? [WebAPI.truncationWarning] : [], infos: [])
        json.append("}")
        pieces.append(json.take())
        if pieces.count == 1 { return .json(pieces[0]) }
        return Reply(.ok, contentType: "application/json", pieces: ReadyPieces(pieces))
    }

    /// The union over all selectors of what `ask` gives for one, sorted by bytes.
    func strings(
        _ context: QueryContext, _ ask: ([Matcher]) throws(TSDBError) -> [String]
    ) throws(SearchStop) -> Reply {
        var found: [String]
        if selectors.count <= 1 {
            found = try SearchStop.during(context) { () throws(TSDBError) in try ask(selectors.first ?? []) }
        } else {
            var union: Set<String> = []
            for matchers in selectors {
                let more = try SearchStop.during(context) { () throws(TSDBError) in try ask(matchers) }
                union.formUnion(more)
            }
            found = union.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
        let total = found.count
        if let limit, limit < total { found.removeLast(total - limit) }
        return .success(warnings: found.count < total ? [WebAPI.truncationWarning] : []) { $0.append(strings: found) }
    }
}

/// Names that do not fit a path segment are sent as `U__` + text, with `_` doubled and others as `_<hex>_`.
///
///     U__my_2e_metric  →  my.metric        U__a__b  →  a_b
enum EscapedName {
    static func unescape(_ text: String) -> String {
        guard text.hasPrefix("U__") else { return text }
        var result = ""
        var rest = text.unicodeScalars.dropFirst(3)
        while let scalar = rest.popFirst() {
            guard scalar == "_" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            var digits = ""
            var isClosed = false
            while let next = rest.popFirst() {
                if next == "_" {
                    isClosed = true
                    break
                }
                digits.unicodeScalars.append(next)
                // A scalar has at most six digits.
                if digits.utf8.count > 6 { return text }
            }
            guard isClosed else { return text }
            if digits.isEmpty {
                result += "_"
            } else if let code = UInt32(digits, radix: 16), let unescaped = Unicode.Scalar(code) {
                result.unicodeScalars.append(unescaped)
            } else {
                return text
            }
        }
        return result
    }
}
