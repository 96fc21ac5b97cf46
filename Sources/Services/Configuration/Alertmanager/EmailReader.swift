import Alerter
import Numbers

/// Reads an entry of `email_configs`. What it does not say comes from `global`'s `smtp_…` fields.
struct EmailReader {
    let global: AlertmanagerGlobal
    let http: HTTPClientReader

    func read(_ fields: inout ShownFields) throws(ConfigError) -> EmailSettings {
        var settings = EmailSettings()
        settings.to = try fields.text("to")
        if settings.to.isEmpty { throw ConfigError("missing to address in email config", at: fields.position) }
        settings.from = try fields.text("from", or: global.smtpFrom)
        settings.hello = try fields.text("hello", or: global.smtpHello)
        settings.smarthost = try fields.text("smarthost", or: global.smtpSmarthost)
        if let problem = HostPortText.problem(settings.smarthost) { throw ConfigError(problem, at: fields.position) }
        settings.authUsername = try fields.text("auth_username", or: global.smtpUsername)
        try credentials(&fields, &settings)
        settings.authIdentity = try fields.text("auth_identity", or: global.smtpIdentity)
        settings.headers = try headers(&fields, settings)
        settings.html = try fields.text("html", default: "{{ template \"email.default.html\" . }}")
        settings.text = try fields.text("text")
        settings.requiresTLS = try fields.optionalFlag("require_tls", or: global.smtpRequiresTLS) ?? global.smtpRequiresTLS
        settings.tls = global.smtpTLS
        if let node = fields.take("tls_config") {
            let (tls, shown) = try http.tls(node)
            settings.tls = tls
            fields.show("tls_config", shown)
        } else {
            fields.show("tls_config", global.smtpTLSNode)
        }
        settings.implicitTLS = try fields.optionalFlag("force_implicit_tls", or: global.smtpImplicitTLS)
        if let node = fields.take("threading") {
            var threading = try Fields(node, "threading")
            _ = try threading.string("thread_by_date")
            if try threading.bool("enabled") == true {
                throw ConfigError("field threading of \(fields.kind) is not supported yet", at: node.position)
            }
            try threading.finish()
        }
        if settings.smarthost.isEmpty { throw ConfigError("no global SMTP smarthost set", at: fields.position) }
        if settings.from.isEmpty { throw ConfigError("no global SMTP from set", at: fields.position) }
        return settings
    }

    /// Password and secret: the entry's, or both of the global forms.
    private func credentials(_ fields: inout ShownFields, _ settings: inout EmailSettings) throws(ConfigError) {
        func one(_ text: String, _ file: String) -> Secret? { !text.isEmpty ? .text(text) : file.isEmpty ? nil : .file(path: file) }
        var password = try fields.hidden("auth_password"), passwordFile = try fields.hidden("auth_password_file")
        if password.isEmpty && passwordFile.isEmpty {
            password = global.smtpPassword
            passwordFile = global.smtpPasswordFile
        }
        fields.show("auth_password", password.isEmpty ? "" : ShownFields.secret)
        fields.show("auth_password_file", passwordFile)
        settings.authPassword = one(password, passwordFile)
        let secret = try fields.secret("auth_secret", or: global.smtpSecret)
        settings.authSecret = one(secret, try fields.text("auth_secret_file", or: global.smtpSecretFile))
    }

    private func headers(_ fields: inout ShownFields, _ settings: EmailSettings) throws(ConfigError) -> Annotations {
        var headers = Annotations()
        var written = try Fields(
            YAMLNode(.mapping(fields.take("headers").map { [YAMLNode.Entry(key: "headers", position: $0.position, value: $0)] } ?? [])),
            "email_configs entry")
        for (name, value, position) in try written.labels("headers") {
            let canonical = HeaderName.canonical(name)
            if headers[canonical] != nil {
                throw ConfigError("duplicate header \(QuotedText.go(canonical)) in email config", at: position)
            }
            // Would end the header and begin another.
            guard HeaderName.isValid(name) else { throw ConfigError("\(QuotedText.go(name)) is no header name", at: position) }
            headers[canonical] = value
        }
        let standard = [("Subject", "{{ template \"email.default.subject\" . }}"), ("To", settings.to), ("From", settings.from)]
        for (name, value) in standard where headers[name] == nil { headers[name] = value }
        let entries = headers.pairs.map { YAMLNode.Entry(key: $0.name, position: YAMLPosition(), value: .text($0.value)) }
        fields.show("headers", YAMLNode(.mapping(entries)))
        return headers
    }
}
