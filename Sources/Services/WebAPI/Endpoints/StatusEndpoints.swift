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
