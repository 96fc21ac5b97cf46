import HTTPServer

/// What an answer must be like, apart from being one.
struct HTTPChecks {
    let settings: HTTPSettings

    /// What is wrong with the status; `nil` for nothing.
    func statusProblem(_ status: Int) -> String? {
        if settings.validStatusCodes.isEmpty {
            return (200..<300).contains(status) ? nil : "Invalid HTTP response status code, wanted 2xx"
        }
        return settings.validStatusCodes.contains(status) ? nil : "Invalid HTTP response status code"
    }

    func versionProblem(_ version: String) -> String? {
        settings.validVersions.isEmpty || settings.validVersions.contains(version) ? nil : "Invalid HTTP version number"
    }

    var looksAtHeaders: Bool { !settings.failsIfHeaderMatches.isEmpty || !settings.failsIfHeaderNotMatches.isEmpty }
    var looksAtBody: Bool { !settings.failsIfBodyMatches.isEmpty || !settings.failsIfBodyNotMatches.isEmpty }

    /// A header may stand several times: one that matches is one that matches.
    func headerProblem(_ answer: HTTPAnswer) -> String? {
        for (checks, isForbidden) in [(settings.failsIfHeaderMatches, true), (settings.failsIfHeaderNotMatches, false)] {
            for check in checks {
                let values = answer.values(check.header)
                if values.isEmpty {
                    if !check.allowsMissing { return "Missing required header \(check.header)" }
                    continue
                }
                if values.contains(where: { check.pattern.matches($0) }) == isForbidden {
                    return isForbidden
                        ? "Header matched regular expression \(check.pattern.source)"
                        : "Header did not match regular expression \(check.pattern.source)"
                }
            }
        }
        return nil
    }

    func bodyProblem(_ body: [UInt8]) -> String? {
        if let pattern = settings.failsIfBodyMatches.first(where: { $0.matches(body) }) {
            return "Body matched regular expression \(pattern.source)"
        }
        if let pattern = settings.failsIfBodyNotMatches.first(where: { !$0.matches(body) }) {
            return "Body did not match regular expression \(pattern.source)"
        }
        return nil
    }

    /// Takes the body apart as the module says it is packed; throws where it is not.
    func unpacked(_ body: [UInt8], limit: Int) throws -> [UInt8] {
        guard settings.compression == "gzip" || settings.compression == "deflate" else { return body }
        do throws(Gzip.Failure) {
            return try Gzip.inflate(body, limit: limit, isBare: settings.compression == "deflate")
        } catch {
            if error == .overLimit { throw HTTPAnswerReader.BodyTooLarge() }
            throw ProbeFailure("\(settings.compression): invalid header or body")
        }
    }
}
