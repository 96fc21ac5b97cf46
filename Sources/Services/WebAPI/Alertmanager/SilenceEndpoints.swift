import Alerter
import HTTPServer
import HTTPTypes
import NIOCore
import Numbers
import TSDB

/// `/api/v2/silences` and `/api/v2/silence/<id>`.
extension AlertmanagerAPI {
    func addSilences(to routes: inout Routes) {
        let api = self, parts = parts, machine = parts.machine, clock = clock
        routes.on(
            [.get], "/api/v2/silences",
            Self.handler { request throws(V2Failure) in
                let parameters = request.parameters
                let matchers = try Self.matchers(parameters)
                let states = Set(Silence.State.allCases.filter { Self.flag(parameters, $0.rawValue) })
                return try await api.offload {
                    let now = clock.now()
                    let silences = machine.silences(matching: matchers, in: states, at: now)
                    return .success(.v2 { $0.append(list: silences) { $0.append($1, at: now) } })
                }
            })
        routes.on(
            [.post], "/api/v2/silences",
            Self.handler { request throws(V2Failure) in
                let draft = try PostedSilenceReader.read(request.body)
                return try await api.offload {
                    let now = clock.now()
                    if let begin = draft.startsAt, let end = draft.endsAt {
                        if begin >= end { return .failure(.badRequest("Failed to create silence: start time must be before end time")) }
                        if end < now { return .failure(.badRequest("Failed to create silence: end time can't be in the past")) }
                    }
                    do throws(SilenceError) {
                        let id = try machine.setSilence(draft, at: now)
                        parts.changed()
                        return .success(
                            .v2 {
                                $0.append("{")
                                $0.append("silenceID", string: id, first: true)
                                $0.append("}")
                            })
                    } catch {
                        return .failure(Self.failure(error))
                    }
                }
            })
        routes.on(
            [.get], prefix: "/api/v2/silence/", suffix: "",
            Self.silenceHandler { _, id throws(V2Failure) in
                try await api.offload {
                    guard let silence = machine.silence(id) else { return .failure(.status(.notFound)) }
                    return .success(.v2 { $0.append(silence, at: clock.now()) })
                }
            })
        routes.on(
            [.delete], prefix: "/api/v2/silence/", suffix: "",
            Self.silenceHandler { _, id throws(V2Failure) in
                try await api.offload {
                    do throws(SilenceError) {
                        try machine.expireSilence(id, at: clock.now())
                        parts.changed()
                        return .success(.v2Done)
                    } catch {
                        return .failure(error.code == .notFound ? .status(.notFound) : Self.failure(error))
                    }
                }
            })
    }

    private static func failure(_ error: SilenceError) -> V2Failure {
        switch error.code {
        case .notFound: .sentence(error.message, .notFound)
        case .invalid: .badRequest(error.message)
        case .storage: .sentence(error.message, .internalServerError)
        }
    }

    private static func silenceHandler(
        _ body: @escaping @Sendable (APIRequest, _ id: String) async throws(V2Failure) -> Reply
    ) -> Routes.NamedHandler {
        { request, id in
            guard isUUID(id) else {
                return V2Failure.refused(
                    code: 601, "silenceID in path must be of type uuid: \(QuotedText.go(id))", .unprocessableContent
                ).reply
            }
            do throws(V2Failure) { return try await body(request, id) } catch { return error.reply }
        }
    }

    /// `8-4-4-4-12` hexadecimal digits.
    private static func isUUID(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.allSatisfy { $0.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) } }
    }
}
