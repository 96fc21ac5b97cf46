import Alerter
import HTTPServer
import HTTPTypes
import RegularExpression
import TSDB

/// `/api/v2/alerts`, `/api/v2/alerts/groups`, `/api/v2/receivers`.
extension AlertmanagerAPI {
    func addAlerts(to routes: inout Routes) {
        let api = self, parts = parts, machine = parts.machine, clock = clock
        routes.on(
            [.get], "/api/v2/alerts",
            Self.handler { request throws(V2Failure) in
                let filter = try Self.filter(request.parameters)
                return try await api.offload {
                    let views = machine.alerts(filter, at: clock.now())
                    return .success(.v2 { $0.append(list: views) { $0.append($1) } })
                }
            })
        routes.on(
            [.post], "/api/v2/alerts",
            Self.handler { request throws(V2Failure) in
                try await api.offload {
                    let reports: [AlertReport]
                    do throws(V2Failure) { reports = try PostedAlertReader(request.body).reports } catch { return .failure(error) }
                    let refusals = machine.receive(reports, at: clock.now())
                    parts.changed()
                    guard refusals.isEmpty else {
                        return .failure(.badRequest(refusals.map(\.message).joined(separator: "\n")))
                    }
                    return .success(.v2Done)
                }
            })
        routes.on(
            [.get], "/api/v2/alerts/groups",
            Self.handler { request throws(V2Failure) in
                let filter = try Self.filter(request.parameters)
                return try await api.offload {
                    let groups = machine.groups(filter, at: clock.now())
                    return .success(.v2 { $0.append(list: groups) { $0.append($1) } })
                }
            })
        routes.on(
            [.get], "/api/v2/receivers",
            Self.handler { _ throws(V2Failure) in
                .v2 { json in
                    json.append(list: machine.receivers) { json, name in
                        json.append("{\"labels\":{")
                        json.append("name", string: name, first: true)
                        json.append("}")
                        json.append("name", string: name)
                        json.append("}")
                    }
                }
            })
    }

    static func filter(_ parameters: Parameters) throws(V2Failure) -> AlertFilter {
        var filter = AlertFilter(matchers: try matchers(parameters))
        filter.showsActive = flag(parameters, "active")
        filter.showsSilenced = flag(parameters, "silenced")
        filter.showsInhibited = flag(parameters, "inhibited")
        filter.showsUnprocessed = flag(parameters, "unprocessed")
        filter.showsMuted = flag(parameters, "muted")
        let receiver = parameters["receiver"]
        if !receiver.isEmpty {
            do throws(PatternError) { filter.receiver = try Pattern(receiver) } catch {
                throw .badRequest("failed to parse receiver param: \(MatcherText.regexProblem(receiver) ?? error.description)")
            }
        }
        return filter
    }

    static func matchers(_ parameters: Parameters) throws(V2Failure) -> [Matcher] {
        var matchers: [Matcher] = []
        for text in parameters.all("filter") {
            do throws(MatcherError) { matchers.append(try MatcherText.matcher(text)) } catch {
                throw .badRequest(error.message)
            }
        }
        return matchers
    }

    /// True where it is left out; anything that is no word for true is false, as upstream's library has it.
    static func flag(_ parameters: Parameters, _ name: String) -> Bool {
        let text = parameters[name]
        return text.isEmpty || ["true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"].contains(text.lowercased())
    }
}
