import HTTPServer
import Numbers
import TSDB

/// `/api/v1/status/…` and `/version`: what the server says of itself.
extension WebAPI {
    func addStatus(to routes: inout Routes) {
        let status = status
        routes.on([.get], "/version") { _ in
            var json = JSONText()
            json.appendBuild(status.build)
            return .json(json.take())
        }
        // Grafana takes a `features` or `application` key here for Mimir, so there is none.
        routes.on([.get], "/api/v1/status/buildinfo") { _ in .success { $0.appendBuild(status.build) } }
        routes.on([.get], "/api/v1/status/flags") { _ in
            .success { json in
                json.append("{")
                for (index, flag) in status.flags.enumerated() {
                    if index > 0 { json.append(",") }
                    json.appendQuoted(flag.name)
                    json.append(":")
                    json.appendQuoted(flag.value)
                }
                json.append("}")
            }
        }
        routes.on([.get], "/api/v1/status/config") { _ throws(APIError) in
            let yaml = try self.parts().configuration
            return .success { json in
                json.append("{")
                json.append("yaml", string: yaml, first: true)
                json.append("}")
            }
        }
        let clock = clock
        routes.on([.get], "/api/v1/status/runtimeinfo") { _ in
            .success { $0.appendRuntime(status, now: clock.now()) }
        }
        // Replay has no progress to show yet; before it is done, everything else is 503.
        routes.on([.get], "/api/v1/status/walreplay") { _ in
            .success { $0.append("{\"min\":0,\"max\":0,\"current\":0}") }
        }
        routes.on([.get], "/api/v1/status/tsdb") { request throws(APIError) in
            let text = request.parameters["limit"]
            guard text.isEmpty || Int(text).map({ $0 > 0 }) == true else {
                throw APIError(.badData, "limit must be a positive number")
            }
            let limit = min(Int(text) ?? 10, 10_000)
            let database = try self.parts().database
            return try await search(request) { context throws(SearchStop) in
                try Cardinality(of: database, context).reply(database.statistics, limit: limit)
            }
        }
        routes.on([.get], "/api/v1/notifications") { _ in .success { $0.append("[]") } }
    }
}

extension Reply {
    /// `{"status":"success","data":…}` around what `data` writes.
    static func success(warnings: [String] = [], infos: [String] = [], _ data: (inout JSONText) -> Void) -> Reply {
        var json = JSONText()
        json.append("{\"status\":\"success\",\"data\":")
        data(&json)
        json.appendNotes(warnings: warnings, infos: infos)
        json.append("}")
        return .json(json.take())
    }
}

extension JSONText {
    mutating func appendNotes(warnings: [String], infos: [String]) {
        if !warnings.isEmpty {
            append(",\"warnings\":")
            append(strings: warnings)
        }
        if !infos.isEmpty {
            append(",\"infos\":")
            append(strings: infos)
        }
    }

    mutating func append(strings: [String]) {
        append("[")
        for (index, text) in strings.enumerated() {
            if index > 0 { append(",") }
            appendQuoted(text)
        }
        append("]")
    }

    /// One member of an object: `"name":"value"`, with a comma in front where it is not the first.
    mutating func append(_ name: StaticString, string value: String, first: Bool = false) {
        if !first { append(",") }
        append("\"")
        append(name)
        append("\":")
        appendQuoted(value)
    }

    fileprivate mutating func appendRuntime(_ status: ServerStatus, now: Timestamp) {
        let reload = status.lastReload
        append("{")
        append("startTime", string: TimeText.string(milliseconds: status.startTime.milliseconds), first: true)
        append("CWD", string: status.workingDirectory)
        append("hostname", string: status.hostName)
        append("serverTime", string: TimeText.string(milliseconds: now.milliseconds))
        append(",\"reloadConfigSuccess\":")
        append(reload.succeeded)
        append("lastConfigTime", string: TimeText.string(milliseconds: reload.lastSuccess.milliseconds))
        // Go's figures have no meaning here; their fields stay, because clients decode them.
        append(",\"corruptionCount\":0,\"goroutineCount\":0,\"GOMAXPROCS\":")
        append(status.coreCount)
        append(",\"GOMEMLIMIT\":0,\"GOGC\":\"\",\"GODEBUG\":\"\"")
        append("storageRetention", string: status.retention)
        append("}")
    }

    mutating func appendBuild(_ build: ServerStatus.Build) {
        append("{")
        append("version", string: build.version, first: true)
        append("revision", string: build.revision)
        append("branch", string: build.branch)
        append("buildUser", string: build.user)
        append("buildDate", string: build.date)
        append("goVersion", string: "")
        append("}")
    }
}
