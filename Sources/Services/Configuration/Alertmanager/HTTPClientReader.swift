import Alerter
import TSDB

/// Reads `http_config`: how to reach an HTTP server, and as whom.
package struct HTTPClientReader {
    /// Paths in it are relative to this directory.
    let directory: ConfigurationDirectory
    /// Where the fields stand, for messages.
    let kind: String

    package init(directory: ConfigurationDirectory, kind: String = "http_config") {
        self.directory = directory
        self.kind = kind
    }

    package struct Result {
        package var config = HTTPClientConfig()
        /// As it is shown.
        package var node = YAMLNode(
            .mapping([
                YAMLNode.Entry(key: "follow_redirects", position: YAMLPosition(), value: .flag(true)),
                YAMLNode.Entry(key: "enable_http2", position: YAMLPosition(), value: .flag(true)),
            ]))
    }

    package func read(_ node: YAMLNode) throws(ConfigError) -> Result {
        var fields = try ShownFields(node, kind), config = HTTPClientConfig()
        let basic = fields.take("basic_auth"), authorization = fields.take("authorization")
        let token = try fields.hidden("bearer_token"), tokenFile = try fields.hidden("bearer_token_file")
        try checkCombinations(basic, authorization, token, tokenFile, at: node.position)
        if let basic { config.authorization = try basicAuth(basic, &fields) }
        if let authorization { config.authorization = try self.authorization(authorization, &fields) }
        if !token.isEmpty { config.authorization = show(.text(token), &fields) }
        if !tokenFile.isEmpty { config.authorization = show(.file(path: directory.absolute(tokenFile)), &fields) }
        if let node = fields.take("tls_config") {
            let (tls, shown) = try self.tls(node)
            config.tls = tls
            if tls != HTTPClientConfig.TLS() { fields.show("tls_config", shown) }
        }
        config.followsRedirects = try fields.flag("follow_redirects", default: true)
        // A wish that HTTP/1.1 fulfils as well.
        _ = try fields.flag("enable_http2", default: true)
        if let node = fields.take("proxy_url") {
            config.proxyURL = try node.text("proxy_url")
            if let problem = URLText.syntaxProblem(config.proxyURL) { throw ConfigError(problem, at: node.position) }
            fields.show("proxy_url", Self.withoutPassword(config.proxyURL))
        }
        try fields.refuse(["oauth2", "proxy_from_environment", "no_proxy", "proxy_connect_header"])
        if let node = fields.take("http_headers") { config.headers = try headers(node, &fields) }
        try fields.finish()
        return Result(config: config, node: fields.node)
    }

    private func checkCombinations(
        _ basic: YAMLNode?, _ authorization: YAMLNode?, _ token: String, _ tokenFile: String, at position: YAMLPosition
    ) throws(ConfigError) {
        let hasToken = !token.isEmpty || !tokenFile.isEmpty
        if !token.isEmpty && !tokenFile.isEmpty {
            throw ConfigError("at most one of bearer_token & bearer_token_file must be configured", at: position)
        }
        if basic != nil && hasToken {
            throw ConfigError(
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured", at: position)
        }
        if authorization != nil && hasToken {
            throw ConfigError("authorization is not compatible with bearer_token & bearer_token_file", at: position)
        }
        if basic != nil && authorization != nil {
            throw ConfigError("at most one of basic_auth, oauth2 & authorization must be configured", at: position)
        }
    }

    private func basicAuth(_ node: YAMLNode, _ outer: inout ShownFields) throws(ConfigError)
        -> HTTPClientConfig.Authorization
    {
        var fields = try ShownFields(node, "basic_auth")
        let username = try fields.text("username"),
            usernameFile = directory.absolute(try fields.hidden("username_file"))
        fields.show("username_file", usernameFile)
        let password = try fields.secret("password"),
            passwordFile = directory.absolute(try fields.hidden("password_file"))
        fields.show("password_file", passwordFile)
        if !username.isEmpty && !usernameFile.isEmpty {
            throw ConfigError(
                "at most one of basic_auth username, username_file & username_ref must be configured", at: node.position
            )
        }
        if !password.isEmpty && !passwordFile.isEmpty {
            throw ConfigError(
                "at most one of basic_auth password, password_file & password_ref must be configured", at: node.position
            )
        }
        try fields.refuse(["username_ref", "password_ref"])
        try fields.finish()
        outer.show("basic_auth", fields.node)
        return .basic(
            username: usernameFile.isEmpty ? .text(username) : .file(path: usernameFile),
            password: passwordFile.isEmpty ? .text(password) : .file(path: passwordFile))
    }

    private func authorization(_ node: YAMLNode, _ outer: inout ShownFields) throws(ConfigError)
        -> HTTPClientConfig.Authorization
    {
        var fields = try ShownFields(node, "authorization")
        let type = trimmed(try fields.hidden("type"))
        fields.show("type", type.isEmpty ? "Bearer" : type)
        let credentials = try fields.secret("credentials"),
            file = directory.absolute(try fields.hidden("credentials_file"))
        fields.show("credentials_file", file)
        if !credentials.isEmpty && !file.isEmpty {
            throw ConfigError(
                "at most one of authorization credentials & credentials_file must be configured", at: node.position)
        }
        if type.lowercased() == "basic" {
            throw ConfigError(
                "authorization type cannot be set to \"basic\", use \"basic_auth\" instead", at: node.position)
        }
        try fields.refuse(["credentials_ref"])
        try fields.finish()
        outer.show("authorization", fields.node)
        return .bearer(
            type: type.isEmpty ? "Bearer" : type, credentials: file.isEmpty ? .text(credentials) : .file(path: file))
    }

    private func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    /// `bearer_token`, in the form that replaced it.
    private func show(_ token: Secret, _ fields: inout ShownFields) -> HTTPClientConfig.Authorization {
        fields.show("authorization", Self.bearer(token))
        return .bearer(type: "Bearer", credentials: token)
    }

    /// An `authorization` with a bearer token, as it is shown.
    static func bearer(_ token: Secret) -> YAMLNode {
        var entries = [YAMLNode.Entry(key: "type", position: YAMLPosition(), value: .text("Bearer"))]
        switch token {
        case .text:
            entries.append(
                YAMLNode.Entry(key: "credentials", position: YAMLPosition(), value: .text(ShownFields.secret)))
        case .file(let path):
            entries.append(YAMLNode.Entry(key: "credentials_file", position: YAMLPosition(), value: .text(path)))
        }
        return YAMLNode(.mapping(entries))
    }

    /// Reads a `tls_config`; where it says nothing, the empty one is shown.
    package func tls(_ node: YAMLNode) throws(ConfigError) -> (HTTPClientConfig.TLS, YAMLNode) {
        var fields = try ShownFields(node, "tls_config"), tls = HTTPClientConfig.TLS()
        let ca = try fields.text("ca"), certificate = try fields.text("cert"), key = try fields.secret("key")
        let caFile = directory.absolute(try fields.hidden("ca_file")),
            certificateFile = directory.absolute(try fields.hidden("cert_file"))
        let keyFile = directory.absolute(try fields.hidden("key_file"))
        fields.show("ca_file", caFile)
        fields.show("cert_file", certificateFile)
        fields.show("key_file", keyFile)
        func one(_ text: String, _ file: String, _ problem: String) throws(ConfigError) -> Secret? {
            if !text.isEmpty && !file.isEmpty { throw ConfigError(problem, at: node.position) }
            return !text.isEmpty ? .text(text) : file.isEmpty ? nil : .file(path: file)
        }
        tls.ca = try one(ca, caFile, "at most one of ca, ca_file & ca_ref must be configured")
        tls.certificate = try one(
            certificate, certificateFile, "at most one of cert, cert_file & cert_ref must be configured")
        tls.key = try one(key, keyFile, "at most one of key and key_file must be configured")
        if tls.certificate != nil && tls.key == nil {
            throw ConfigError(
                "exactly one of key or key_file must be configured when a client certificate is configured",
                at: node.position)
        }
        if tls.key != nil && tls.certificate == nil {
            throw ConfigError(
                "exactly one of cert or cert_file must be configured when a client key is configured", at: node.position
            )
        }
        tls.serverName = try fields.text("server_name")
        tls.skipsVerification = try fields.flag("insecure_skip_verify")
        tls.minimumVersion = try version("min_version", &fields)
        tls.maximumVersion = try version("max_version", &fields)
        try fields.refuse(["ca_ref", "cert_ref", "key_ref"])
        try fields.finish()
        return (tls, fields.node)
    }

    private func version(_ name: String, _ fields: inout ShownFields) throws(ConfigError) -> String {
        guard let node = fields.take(name) else { return "" }
        let version = try node.text(name)
        guard ["TLS10", "TLS11", "TLS12", "TLS13"].contains(version) else {
            throw ConfigError("unknown TLS version: \(version)", at: node.position)
        }
        fields.show(name, version)
        return version
    }

    /// Headers that change the connection, or that we set ourselves.
    private static let reserved: Set<String> = [
        "Authorization", "Host", "Content-Encoding", "Content-Length", "Content-Type", "User-Agent", "Connection",
        "Keep-Alive",
        "Proxy-Authenticate", "Proxy-Authorization", "Www-Authenticate", "Accept-Encoding",
        "X-Prometheus-Remote-Write-Version",
        "X-Prometheus-Remote-Read-Version", "X-Prometheus-Scrape-Timeout-Seconds", "X-Amz-Date", "X-Amz-Security-Token",
        "X-Amz-Content-Sha256",
    ]

    private func headers(_ node: YAMLNode, _ outer: inout ShownFields) throws(ConfigError) -> [HTTPClientConfig.Header] {
        guard case .mapping(let entries) = node.content else {
            throw ConfigError("http_headers must be a mapping", at: node.position)
        }
        var headers: [HTTPClientConfig.Header] = [], shown: [YAMLNode.Entry] = []
        for entry in entries.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let canonical = HeaderName.canonical(entry.key)
            if Self.reserved.contains(canonical) {
                throw ConfigError("setting header \"\(canonical)\" is not allowed", at: entry.position)
            }
            // Would end the header and begin another.
            guard HeaderName.isValid(entry.key) else {
                throw ConfigError("\"\(entry.key)\" is no header name", at: entry.position)
            }
            var fields = try ShownFields(entry.value, "http_headers entry")
            var values: [Secret] = (try fields.strings("values") ?? []).map { .text($0) }
            let secrets = try fields.items("secrets")
            for item in secrets { values.append(.text(item.isNull ? "" : try item.text("secrets"))) }
            fields.show("secrets", list: secrets.map { _ in .text(ShownFields.secret) })
            var files: [String] = []
            for item in try fields.items("files") {
                files.append(directory.absolute(item.isNull ? "" : try item.text("files")))
            }
            fields.show("files", list: files.map { .text($0) })
            values += files.map { .file(path: $0) }
            try fields.finish()
            headers.append(HTTPClientConfig.Header(name: entry.key, values: values))
            shown.append(YAMLNode.Entry(key: entry.key, position: entry.position, value: fields.node))
        }
        if !shown.isEmpty { outer.show("http_headers", YAMLNode(.mapping(shown))) }
        return headers
    }

    /// `http://user:xxxxx@proxy:3128`.
    static func withoutPassword(_ url: String) -> String {
        guard let at = url.lastIndex(of: "@") else { return url }
        let authority = url[..<at].lastIndex(of: "/").map { url.index(after: $0) } ?? url.startIndex
        guard let colon = url[authority..<at].firstIndex(of: ":") else { return url }
        return url[...colon] + "xxxxx" + url[at...]
    }
}
