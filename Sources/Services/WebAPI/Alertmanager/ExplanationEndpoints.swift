import Alerter
import HTTPServer
import HTTPTypes
import Numbers
import TSDB

/// What no Alertmanager answers: why somebody was or was not told, the way through the routing tree, what happened, and whether a
/// receiver can be reached.
///
///     GET  /api/v2/explain?fingerprint=2cdd4f0d0379464b | ?labels=alertname="Down",severity="page"
///     GET  /api/v2/explain/routes
///     GET  /api/v2/history?limit=100&filter=alertname="Down"&receiver=pager
///     POST /api/v2/receivers/<name>/test
extension AlertmanagerAPI {
    func addExplanations(to routes: inout Routes) {
        let api = self, parts = parts, machine = parts.machine, clock = clock
        routes.on(
            [.get], "/api/v2/explain",
            Self.handler { request throws(V2Failure) in
                let parameters = request.parameters
                return try await api.offload {
                    let now = clock.now()
                    do throws(V2Failure) {
                        let labels = try Self.labels(parameters, machine, at: now)
                        let explanation = machine.explain(labels, at: now)
                        return .success(.v2 { $0.append(explanation, at: now) })
                    } catch { return .failure(error) }
                }
            })
        routes.on(
            [.get], "/api/v2/explain/routes",
            Self.handler { _ throws(V2Failure) in
                let tree = parts.configured.routes
                return .v2 { $0.append(tree.root, in: tree) }
            })
        routes.on(
            [.get], "/api/v2/history",
            Self.handler { request throws(V2Failure) in
                let query = try Self.historyQuery(request.parameters)
                return try await api.offload {
                    let entries = machine.history(query)
                    return .success(
                        .v2 {
                            $0.append("{\"events\":")
                            $0.append(list: entries) { $0.append($1) }
                            $0.append("}")
                        })
                }
            })
        routes.on([.post], prefix: "/api/v2/receivers/", suffix: "/test") { _, name in
            let now = clock.now()
            let alert = Alert(
                labels: ["alertname": "TestNotification", "receiver": name, "severity": "none"],
                annotations: ["summary": "A test of the receiver \(name). Nothing is wrong."], startsAt: now, endsAt: now + .minutes(5),
                updatedAt: now)
            guard let results = await parts.test(name, [alert]) else {
                return V2Failure.sentence("receiver \(QuotedText.go(name)) not found", .notFound).reply
            }
            return .v2 { $0.append(list: results) { $0.append($1) } }
        }
    }

    private static func labels(_ parameters: Parameters, _ machine: Alertmanager, at now: Timestamp) throws(V2Failure) -> Labels {
        let wanted = parameters["fingerprint"]
        if !wanted.isEmpty {
            guard let fingerprint = Fingerprint(wanted) else { throw .badRequest("fingerprint: not sixteen hexadecimal digits") }
            guard let view = machine.alerts(at: now).first(where: { $0.fingerprint == fingerprint }) else {
                throw .sentence("no alert has the fingerprint \(fingerprint)", .notFound)
            }
            return view.alert.labels
        }
        let text = parameters["labels"]
        guard !text.isEmpty else { throw .badRequest("fingerprint or labels must be given") }
        do throws(MatcherError) {
            let matchers = try MatcherText.matchers(text).matchers
            guard matchers.allSatisfy({ $0.kind == .equal && !$0.name.isEmpty }) else {
                throw MatcherError("labels must be a list of name=\"value\"")
            }
            return Labels(matchers.map { (name: $0.name, value: $0.value) })
        } catch { throw .badRequest(error.message) }
    }

    private static func historyQuery(_ parameters: Parameters) throws(V2Failure) -> AlertHistoryQuery {
        var query = AlertHistoryQuery()
        query.matchers = try matchers(parameters)
        if !parameters["receiver"].isEmpty { query.receiver = parameters["receiver"] }
        if !parameters["fingerprint"].isEmpty {
            guard let fingerprint = Fingerprint(parameters["fingerprint"]) else {
                throw .badRequest("fingerprint: not sixteen hexadecimal digits")
            }
            query.fingerprint = fingerprint
        }
        let limit = parameters["limit"]
        if !limit.isEmpty {
            guard let number = Int(limit), (1...100_000).contains(number) else { throw .badRequest("limit must be from 1 to 100000") }
            query.limit = number
        }
        do throws(APIError) {
            query.since = try parameters.time("start", default: .min)
            query.until = try parameters.time("end", default: .max)
        } catch { throw .badRequest(error.message) }
        return query
    }
}
