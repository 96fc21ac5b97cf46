import Numbers
import PromQL
import RegularExpression
import TSDB
import TextTemplate

/// The functions that rules' templates have besides Go's own.
///
///     query first label value strvalue sortByLabel          "up == 0" | query | first | label "job"
///     humanize humanize1024 humanizeDuration …              Humanize
///     title toUpper toLower match reReplaceAll              texts
///     stripPort stripDomain                                 HostPort
///     graphLink tableLink pathPrefix externalURL            links
///     now toTime toDuration parseDuration                   times
///
/// `tmpl` is not among them: upstream has it for console pages only.
/// Source: Prometheus' documentation, “Template reference”.
enum RuleFunctions {
    typealias Query = (String) throws(QueryError) -> QueryResult.Value

    static func all(externalURL: String, now: Timestamp, questions: Questions) -> [String: TemplateFunction] {
        var functions = unanswered
        functions["query"] = TemplateFunction([.string]) { arguments throws(TemplateError) in
            list(try questions.ask(arguments[0].text))
        }
        functions["now"] = TemplateFunction { _ in .float(Double(now.milliseconds) / 1000) }
        functions["externalURL"] = TemplateFunction { _ in .string(externalURL) }
        let path = path(of: externalURL)
        functions["pathPrefix"] = TemplateFunction { _ in .string(path) }
        return functions
    }

    /// All of them, where there is nothing to ask: for checking templates.
    static let unanswered = queries.merging(humanizing) { $1 }.merging(texts) { $1 }.merging(links) { $1 }
        .merging(times) { $1 }

    /// What templates ask.
    ///
    /// Sendable because it is called by `RuleTemplate.expand` alone, which returns before anyone else can: the table of functions
    /// stays inside the value that was given the query.
    final class Questions: @unchecked Sendable {
        /// Queries of one text. Upstream has no such bound; a template that loops over a number would keep its group for hours.
        static let maximum = 10_000

        private let query: Query
        private var count = 0

        init(_ query: @escaping Query) { self.query = query }

        /// A text begins.
        func begin() { count = 0 }

        fileprivate func ask(_ text: String) throws(TemplateError) -> [QuerySample] {
            count += 1
            guard count <= Self.maximum else { throw TemplateError("asks more than \(Self.maximum) queries") }
            let value: QueryResult.Value
            do throws(QueryError) {
                value = try query(text)
            } catch {
                throw TemplateError(error.shown(in: text))
            }
            switch value {
            case .scalar(let number, _): return [QuerySample(labels: Labels(), value: .float(number))]
            case .vector(let vector):
                return vector.labels.indices.map { row in
                    QuerySample(
                        labels: vector.labels[row],
                        value: vector.histogram(row).map { .histogram($0) } ?? .float(vector.values[row]))
                }
            case .string, .matrix, .samples: throw TemplateError("rule result is not a vector or scalar")
            }
        }
    }

    private static func list(_ samples: [QuerySample]) -> TemplateValue {
        .list(samples.map { .object($0) }, type: QuerySample.listType)
    }

    private static func samples(_ value: TemplateValue) -> [QuerySample] {
        guard case .list(let elements, _) = value else { return [] }
        return elements.compactMap { element in
            guard case .object(let object) = element else { return nil }
            return object as? QuerySample
        }
    }

    private static func sample(_ value: TemplateValue) throws(TemplateError) -> QuerySample {
        guard case .object(let object) = value, let sample = object as? QuerySample else {
            throw TemplateError("runtime error: invalid memory address or nil pointer dereference")
        }
        return sample
    }

    // MARK: Queries

    private static let queries: [String: TemplateFunction] = [
        "query": TemplateFunction([.string]) { _ in list([]) },
        "first": TemplateFunction([.type(QuerySample.listType)]) { arguments throws(TemplateError) in
            guard let first = samples(arguments[0]).first else {
                throw TemplateError("first() called on vector with no elements")
            }
            return .object(first)
        },
        "label": TemplateFunction([.string, .type(QuerySample.type)]) { arguments throws(TemplateError) in
            .string(try sample(arguments[1]).labels[arguments[0].text] ?? "")
        },
        "value": TemplateFunction([.type(QuerySample.type)]) { arguments throws(TemplateError) in
            try sample(arguments[0]).value.forTemplates
        },
        "strvalue": TemplateFunction([.type(QuerySample.type)]) { arguments throws(TemplateError) in
            .string(try sample(arguments[0]).labels["__value__"] ?? "")
        },
        "sortByLabel": TemplateFunction([.string, .type(QuerySample.listType)]) { arguments in
            let keyed = samples(arguments[1]).map { (key: $0.labels[arguments[0].text] ?? "", sample: $0) }
            let order = keyed.indices.sorted { a, b in
                if keyed[a].key == keyed[b].key { return a < b }
                return keyed[a].key.utf8.lexicographicallyPrecedes(keyed[b].key.utf8)
            }
            return list(order.map { keyed[$0].sample })
        },
        "args": TemplateFunction(rest: .any) { arguments in
            var values: [String: TemplateValue] = [:]
            for (index, argument) in arguments.enumerated() { values["arg\(index)"] = argument }
            return .map(TemplateMap(values))
        },
    ]

    // MARK: Numbers

    private static func humanized(_ text: @escaping @Sendable (Double) throws(TemplateError) -> String)
        -> TemplateFunction
    {
        TemplateFunction([.any]) { arguments throws(TemplateError) in
            .string(try text(try Humanize.number(arguments[0])))
        }
    }

    private static let humanizing: [String: TemplateFunction] = [
        "humanize": humanized { Humanize.decimal($0) },
        "humanize1024": humanized { Humanize.binary($0) },
        "humanizeDuration": humanized { Humanize.duration(seconds: $0) },
        "humanizePercentage": humanized { Humanize.percentage($0) },
        "humanizeTimestamp": humanized { seconds throws(TemplateError) in try Humanize.timestamp(seconds: seconds) },
    ]

    // MARK: Texts

    private static func text(_ change: @escaping @Sendable (String) -> String) -> TemplateFunction {
        TemplateFunction([.string]) { arguments in .string(change(arguments[0].text)) }
    }

    private static let texts: [String: TemplateFunction] = [
        "title": text { LetterCase.title($0) { String($0) } },
        "toUpper": text(LetterCase.upper),
        "toLower": text(LetterCase.lower),
        "stripPort": text(HostPort.withoutPort),
        "stripDomain": text(HostPort.withoutDomain),
        "match": TemplateFunction([.string, .string]) { arguments throws(TemplateError) in
            do throws(PatternError) {
                return .boolean(try TextSearch(arguments[0].text).matches(arguments[1].text))
            } catch {
                throw TemplateError(error.message)
            }
        },
        "reReplaceAll": TemplateFunction([.string, .string, .string]) { arguments throws(TemplateError) in
            let pattern = arguments[0].text
            let search: TextSearch
            do throws(PatternError) {
                search = try TextSearch(pattern)
            } catch {
                let quoted = pattern.contains("`") ? QuotedText.go(pattern) : "`\(pattern)`"
                throw TemplateError("regexp: Compile(\(quoted)): \(error.message)")
            }
            guard let result = search.replacingAll(in: arguments[2].text, with: arguments[1].text) else {
                throw TemplateError("takes more than \(TextSearch.maximumWork) steps")
            }
            return .string(result)
        },
        "safeHtml": TemplateFunction([.string]) { arguments in
            .object(TemplateName(typeName: "template.HTML", text: arguments[0].text))
        },
        "urlQueryEscape": text { Escaping.urlQuery($0) },
    ]

    // MARK: Links

    private static let links: [String: TemplateFunction] = [
        "graphLink": text { "/graph?g0.expr=\(Escaping.urlQuery($0))&g0.tab=0" },
        "tableLink": text { "/graph?g0.expr=\(Escaping.urlQuery($0))&g0.tab=1" },
        "pathPrefix": TemplateFunction { _ in .string("") },
        "externalURL": TemplateFunction { _ in .string("") },
    ]

    /// `http://host:9090/prometheus?x` → `/prometheus`.
    private static func path(of url: String) -> String {
        let bytes = Array(url.utf8)
        let scheme = bytes.indices.first { bytes[$0...].starts(with: "://".utf8) }
        let authority = scheme.map { $0 + 3 } ?? 0
        guard let start = bytes[authority...].firstIndex(of: UInt8(ascii: "/")) else { return "" }
        let path = bytes[start...].prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        return String(decoding: path, as: UTF8.self)
    }

    // MARK: Times

    private static let times: [String: TemplateFunction] = [
        "now": TemplateFunction { _ in .float(0) },
        "toTime": TemplateFunction([.any]) { arguments throws(TemplateError) in
            let seconds = try Humanize.number(arguments[0])
            guard let time = try Humanize.time(seconds: seconds) else { throw TemplateError("value is NaN or Inf") }
            return .object(time)
        },
        "toDuration": TemplateFunction([.any]) { arguments throws(TemplateError) in
            let nanoseconds = (try Humanize.number(arguments[0])) * 1e9
            return .object(TemplateDuration(nanoseconds: Int64(exactly: nanoseconds.rounded(.towardZero)) ?? .min))
        },
        "parseDuration": TemplateFunction([.string]) { arguments throws(TemplateError) in
            do throws(DurationError) {
                return .float(Double(try DurationText.parseSigned(arguments[0].text)) / 1000)
            } catch {
                throw TemplateError(error.message)
            }
        },
    ]
}

extension QueryError {
    /// As upstream's engine words it: errors of the grammar say where.
    fileprivate func shown(in query: String) -> String {
        code == .syntax ? positioned(in: query) : message
    }
}
