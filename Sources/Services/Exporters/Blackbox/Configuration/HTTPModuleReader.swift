import Alerter
import ConfigurationFile
import Numbers

extension ModuleReader {
    /// Fields of `http` that say how to reach a server at all: the same as everywhere, and read by the same reader.
    private static let clientFields: Set<String> = [
        "basic_auth", "authorization", "bearer_token", "bearer_token_file", "tls_config", "follow_redirects", "enable_http2", "proxy_url",
        "oauth2", "proxy_from_environment", "no_proxy", "proxy_connect_header", "http_headers",
    ]

    mutating func http(_ node: YAMLNode, of name: String) throws(ConfigError) -> (HTTPSettings, YAMLNode) {
        var (own, client) = (node, node)
        if case .mapping(let entries) = node.content {
            own.content = .mapping(entries.filter { !Self.clientFields.contains($0.key) })
            client.content = .mapping(entries.filter { Self.clientFields.contains($0.key) })
        }
        var fields = try ShownFields(own, "http"), settings = HTTPSettings()
        for item in try fields.items("valid_status_codes") {
            guard let code = Int(try item.text("valid_status_codes")) else {
                throw ConfigError("valid_status_codes must be numbers", at: item.position)
            }
            settings.validStatusCodes.append(code)
        }
        fields.show("valid_status_codes", list: settings.validStatusCodes.map { .number($0) })
        settings.validVersions = try fields.strings("valid_http_versions") ?? []
        if settings.validVersions.contains("HTTP/3.0") {
            throw ConfigError("HTTP/3 cannot be used as a valid HTTP version when enable_http3 is false", at: node.position)
        }
        settings.ip = try preference(&fields)
        settings.skipsResolveWithProxy = try fields.flag("skip_resolve_phase_with_proxy")
        settings.failsIfSSL = try fields.flag("fail_if_ssl")
        settings.failsIfNotSSL = try fields.flag("fail_if_not_ssl")
        settings.method = try fields.text("method", or: "GET")
        settings.headers = try headers(&fields)
        settings.failsIfBodyMatches = try patterns("fail_if_body_matches_regexp", &fields)
        settings.failsIfBodyNotMatches = try patterns("fail_if_body_not_matches_regexp", &fields)
        settings.failsIfHeaderMatches = try headerChecks("fail_if_header_matches", &fields)
        settings.failsIfHeaderNotMatches = try headerChecks("fail_if_header_not_matches", &fields)
        settings.body = try fields.text("body")
        settings.bodyFile = directory.absolute(try fields.hidden("body_file"))
        fields.show("body_file", settings.bodyFile)
        if !settings.body.isEmpty && !settings.bodyFile.isEmpty {
            throw ConfigError("setting body and body_file both are not allowed", at: node.position)
        }
        settings.compression = try compression(&fields, settings.headers, at: node.position)
        if let limit = fields.take("body_size_limit") {
            let text = try limit.text("body_size_limit")
            guard let size = ByteSize.parse(text) else {
                throw ConfigError("body_size_limit must be a size such as 512MB", at: limit.position)
            }
            settings.bodySizeLimit = size
            fields.show("body_size_limit", text)
        }
        try fields.refuse(["fail_if_body_json_matches_cel", "fail_if_body_json_not_matches_cel"])
        if let node = fields.take("enable_http3"), node.plain() != "false" {
            throw ConfigError("field enable_http3 of http is not supported yet", at: node.position)
        }
        let stays = try fields.hidden("no_follow_redirects")
        try fields.finish()
        let read = try HTTPClientReader(directory: directory, kind: "http").read(client)
        settings.client = read.config
        if !stays.isEmpty {
            settings.client.followsRedirects = !["true", "yes", "on"].contains(stays.lowercased())
            warnings.append("no_follow_redirects is deprecated. It is replaced by follow_redirects. module=\(name)")
        }
        guard case .mapping(let first) = fields.node.content, case .mapping(let second) = read.node.content else {
            return (settings, fields.node)
        }
        return (settings, YAMLNode(.mapping(first + second)))
    }

    private func headers(_ fields: inout ShownFields) throws(ConfigError) -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        for header in try fields.labels("headers") {
            guard HeaderName.isValid(header.name), header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 9 }) else {
                throw ConfigError("\"\(header.name)\" is no header", at: header.position)
            }
            result.append((HeaderName.canonical(header.name), header.value))
        }
        return result
    }

    private func headerChecks(_ name: String, _ fields: inout ShownFields) throws(ConfigError) -> [HTTPSettings.HeaderCheck] {
        var result: [HTTPSettings.HeaderCheck] = [], shown: [YAMLNode] = []
        for node in try fields.items(name) {
            var entry = try ShownFields(node, name)
            let header = try entry.text("header")
            if header.isEmpty { throw ConfigError("header name must be set for HTTP header matchers", at: node.position) }
            let expression = try entry.text("regexp")
            if expression.isEmpty { throw ConfigError("regexp must be set for HTTP header matchers", at: node.position) }
            let allowsMissing = try entry.flag("allow_missing")
            try entry.finish()
            result.append(
                HTTPSettings.HeaderCheck(
                    header: HeaderName.canonical(header), pattern: try pattern(expression, at: node.position), allowsMissing: allowsMissing))
            shown.append(entry.node)
        }
        fields.show(name, list: shown)
        return result
    }

    private func compression(
        _ fields: inout ShownFields, _ headers: [(name: String, value: String)], at position: YAMLPosition
    ) throws(ConfigError) -> String {
        let name = try fields.text("compression")
        if let accepted = headers.first(where: { $0.name == "Accept-Encoding" })?.value, !AcceptedEncodings(accepted).accepts(name) {
            throw ConfigError("invalid configuration \"Accept-Encoding: \(accepted)\", \"compression: \(name)\"", at: position)
        }
        switch name.lowercased() {
        case "", "identity", "gzip", "deflate": return name.lowercased()
        case "br": throw ConfigError("compression br is not supported yet", at: position)
        default: throw ConfigError("unsupported compression algorithm \"\(name)\"", at: position)
        }
    }
}

/// `gzip;q=1.0, identity; q=0.5, *;q=0`: a header that must agree with the compression we take apart.
struct AcceptedEncodings {
    private var entries: [(name: String, quality: Double)]

    init(_ text: String) {
        entries = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let semicolon = part.lastIndex(of: ";") else { return (Self.trimmed(part), 1) }
            var quality = Self.trimmed(part[part.index(after: semicolon)...])
            if quality.hasPrefix("q=") { quality.removeFirst(2) }
            return (Self.trimmed(part[..<semicolon]), NumberText.parse(quality) ?? 0)
        }
        // The first of equals stays the first.
        entries = entries.enumerated().sorted { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }.map(\.element)
    }

    /// Nothing said on either side agrees with everything.
    func accepts(_ encoding: String) -> Bool {
        if encoding.isEmpty || entries.allSatisfy({ $0.name.isEmpty }) { return true }
        return (entries.first { $0.name == encoding || $0.name == "*" }?.quality ?? 0) > 0
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
