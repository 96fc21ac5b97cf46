import HTTPServer
import Numbers
import PromQL
import Scraper
import TSDB

/// `/api/v1/targets`, `/api/v1/metadata`, `/api/v1/scrape_pools`: what is scraped and what the pages say of themselves.
extension WebAPI {
    func addTargets(to routes: inout Routes) {
        let status = status
        routes.on([.get], "/api/v1/targets") { request throws(APIError) in
            let parameters = request.parameters
            let pools = (await self.pools()).filter { pool in
                parameters["scrapePool"].isEmpty || pool.job == parameters["scrapePool"]
            }
            let state = parameters["state"].lowercased()
            let host = status.hostName
            return try await offload { .success(Self.targets(pools, state: state, host: host)) }
        }
        routes.on([.get], "/api/v1/scrape_pools") { _ in
            let jobs = (await self.pools()).map(\.job).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return .success { json in
                json.append("{\"scrapePools\":")
                json.append(strings: jobs)
                json.append("}")
            }
        }
        routes.on([.get], "/api/v1/metadata") { request throws(APIError) in
            let parameters = request.parameters
            let limit = try Self.number(parameters, "limit").flatMap { $0 >= 0 ? $0 : nil }
            let perMetric = try Self.number(parameters, "limit_per_metric").flatMap { $0 > 0 ? $0 : nil }
            let wanted = parameters["metric"]
            let pools = await self.pools()
            return try await offload {
                .success(Self.metadata(pools, wanted: wanted, limit: limit, perMetric: perMetric))
            }
        }
        routes.on([.get], "/api/v1/targets/metadata") { request throws(APIError) in
            let parameters = request.parameters
            let limit = try Self.number(parameters, "limit").flatMap { $0 >= 0 ? $0 : nil }
            let wanted = parameters["metric"], selector = parameters["match_target"]
            var matchers: [Matcher] = []
            if !selector.isEmpty {
                do throws(QueryError) { matchers = try Parser.parseMetricSelector(selector) } catch {
                    throw .invalidParameter("match_target", error.positioned(in: selector))
                }
            }
            let pools = await self.pools(), wantedBy = matchers
            return try await offload {
                .success(Self.targetMetadata(pools, wanted: wanted, of: wantedBy, limit: limit))
            }
        }
    }

    /// Per target. As upstream: `limit` ends the list between targets, and who asks for one metric is not told its name
    /// again.
    private static func targetMetadata(_ pools: [PoolStatus], wanted: String, of matchers: [Matcher], limit: Int?) -> Reply {
        .success { json in
            json.append("[")
            var count = 0
            for pool in pools {
                for target in pool.active where matchers.allSatisfy({ $0.matches(target.target.labels) }) {
                    if let limit, count >= limit { break }
                    for entry in target.metadata where wanted.isEmpty || entry.family == wanted {
                        json.append(count > 0 ? ",{\"target\":" : "{\"target\":" as StaticString)
                        json.append(target.target.labels)
                        if wanted.isEmpty { json.append("metric", string: entry.family) }
                        json.append("type", string: entry.type.rawValue)
                        json.append("help", string: entry.help)
                        json.append("unit", string: entry.unit)
                        json.append("}")
                        count += 1
                    }
                }
            }
            json.append("]")
        }
    }

    private static func targets(_ pools: [PoolStatus], state: String, host: String) -> Reply {
        let isAny = state.isEmpty || state == "any"
        return .success { json in
            json.append("{\"activeTargets\":[")
            if isAny || state == "active" {
                var isFirst = true
                for pool in pools {
                    for target in pool.active {
                        if !isFirst { json.append(",") }
                        isFirst = false
                        json.append(target, pool: pool.job, host: host)
                    }
                }
            }
            json.append("],\"droppedTargets\":[")
            guard isAny || state == "dropped" else { return json.append("],\"droppedTargetCounts\":null}") }
            var isFirst = true
            for pool in pools {
                for labels in pool.dropped {
                    if !isFirst { json.append(",") }
                    isFirst = false
                    json.append("{\"discoveredLabels\":")
                    json.append(labels)
                    json.append("scrapePool", string: pool.job)
                    json.append("}")
                }
            }
            json.append("],\"droppedTargetCounts\":{")
            for (index, pool) in pools.sorted(by: { $0.job < $1.job }).enumerated() {
                if index > 0 { json.append(",") }
                json.appendQuoted(pool.job)
                json.append(":")
                json.append(pool.droppedCount)
            }
            json.append("}}")
        }
    }

    func pools() async -> [PoolStatus] {
        guard let scraper = status.parts?.scraper else { return [] }
        return await scraper.pools()
    }

    private static func number(_ parameters: Parameters, _ name: String) throws(APIError) -> Int? {
        let text = parameters[name]
        if text.isEmpty { return nil }
        guard let number = Int(text) else { throw APIError(.badData, "\(name) must be a number") }
        return number
    }

    private static func metadata(_ pools: [PoolStatus], wanted: String, limit: Int?, perMetric: Int?) -> Reply {
        var families: [String: [MetricMetadata]] = [:]
        for pool in pools {
            for target in pool.active {
                for entry in target.metadata where wanted.isEmpty || entry.family == wanted {
                    if families[entry.family] == nil, let limit, families.count >= limit { continue }
                    if families[entry.family, default: []].contains(entry) { continue }
                    if let perMetric, families[entry.family, default: []].count >= perMetric { continue }
                    families[entry.family, default: []].append(entry)
                }
            }
        }
        return .success { json in
            json.append("{")
            let sorted = families.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, family) in sorted.enumerated() {
                if index > 0 { json.append(",") }
                json.appendQuoted(family.key)
                json.append(":[")
                for (index, entry) in family.value.enumerated() {
                    if index > 0 { json.append(",") }
                    json.append("{")
                    json.append("type", string: entry.type.rawValue, first: true)
                    json.append("unit", string: entry.unit)
                    json.append("help", string: entry.help)
                    json.append("}")
                }
                json.append("]")
            }
            json.append("}")
        }
    }
}

extension JSONText {
    fileprivate mutating func append(_ status: TargetStatus, pool: String, host: String) {
        let target = status.target
        append("{\"discoveredLabels\":")
        append(target.discovered)
        append(",\"labels\":")
        append(target.labels)
        append("scrapePool", string: pool)
        append("scrapeUrl", string: target.url)
        append("globalUrl", string: Self.globalURL(target.url, host))
        append("lastError", string: status.lastError)
        append("lastScrape", string: status.lastScrape.map { TimeText.string(milliseconds: $0.milliseconds) } ?? "0001-01-01T00:00:00Z")
        append(",\"lastScrapeDuration\":")
        append(status.lastScrapeDuration)
        append("health", string: status.health.rawValue)
        append("scrapeInterval", string: DurationText.string(milliseconds: target.interval.milliseconds))
        append("scrapeTimeout", string: DurationText.string(milliseconds: target.timeout.milliseconds))
        append("}")
    }

    /// A target on this machine, as others would reach it.
    private static func globalURL(_ url: String, _ host: String) -> String {
        for local in ["http://localhost", "http://127.0.0.1", "http://[::1]"] where url.hasPrefix(local) {
            let rest = url.dropFirst(local.count)
            if rest.isEmpty || rest.hasPrefix(":") || rest.hasPrefix("/") { return "http://" + host + rest }
        }
        return url
    }
}
