import Alerter
import ConfigurationFile
import Numbers

extension ModuleReader {
    func tcp(_ node: YAMLNode) throws(ConfigError) -> (TCPSettings, YAMLNode) {
        var fields = try ShownFields(node, "tcp"), settings = TCPSettings()
        settings.ip = try preference(&fields)
        settings.source = try source(&fields)
        var shown: [YAMLNode] = []
        for node in try fields.items("query_response") {
            let (turn, tree) = try queryResponse(node)
            settings.conversation.append(turn)
            shown.append(tree)
        }
        fields.show("query_response", list: shown)
        settings.usesTLS = try fields.flag("tls")
        settings.tls = try tls(&fields)
        try fields.finish()
        return (settings, fields.node)
    }

    func tls(_ fields: inout ShownFields) throws(ConfigError) -> HTTPClientConfig.TLS {
        guard let node = fields.take("tls_config") else { return HTTPClientConfig.TLS() }
        let (tls, shown) = try HTTPClientReader(directory: directory, kind: fields.kind).tls(node)
        if tls != HTTPClientConfig.TLS() { fields.show("tls_config", shown) }
        return tls
    }

    private func queryResponse(_ node: YAMLNode) throws(ConfigError) -> (QueryResponse, YAMLNode) {
        var fields = try ShownFields(node, "query_response"), turn = QueryResponse()
        let expect = try fields.text("expect")
        if !expect.isEmpty { turn.expect = try pattern(expect, at: node.position) }
        turn.expectBytes = Array(try fields.text("expect_bytes").utf8)
        if turn.expect != nil && !turn.expectBytes.isEmpty {
            throw ConfigError("expect and expect_bytes are mutually exclusive", at: node.position)
        }
        var shown: [YAMLNode] = []
        for node in try fields.items("labels") {
            var entry = try ShownFields(node, "labels")
            let name = try entry.text("name"), value = try entry.text("value")
            try entry.finish()
            guard Self.isLabelName(name), !turn.labels.contains(where: { $0.name == name }) else {
                throw ConfigError("\"\(name)\" is not a valid label name", at: node.position)
            }
            turn.labels.append((name, value))
            shown.append(entry.node)
        }
        fields.show("labels", list: shown)
        turn.send = try fields.text("send")
        turn.startsTLS = try fields.flag("starttls")
        try fields.finish()
        return (turn, fields.node)
    }

    private static func isLabelName(_ name: String) -> Bool {
        let isLetter = { (byte: UInt8) in (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a) || byte == UInt8(ascii: "_") }
        guard let first = name.utf8.first, isLetter(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }

    // MARK: DNS

    func dns(_ node: YAMLNode, isWritten: Bool) throws(ConfigError) -> (DNSSettings, YAMLNode) {
        var fields = try ShownFields(node, "dns"), settings = DNSSettings()
        settings.ip = try preference(&fields)
        settings.usesTLS = try fields.flag("dns_over_tls")
        settings.tls = try tls(&fields)
        settings.source = try source(&fields)
        let transport = try fields.text("transport_protocol")
        guard ["", "udp", "tcp"].contains(transport) else {
            throw ConfigError("Configuration error: Expected transport protocol udp or tcp, not \(transport)", at: node.position)
        }
        settings.usesTCP = transport == "tcp"
        if settings.usesTLS && !settings.usesTCP {
            throw ConfigError("Configuration error: Expected transport protocol tcp for DoT", at: node.position)
        }
        let queryClass = try fields.text("query_class")
        if !queryClass.isEmpty {
            guard let number = DNSNumbers.classes[queryClass] else {
                throw ConfigError("query class '\(queryClass)' is not valid", at: node.position)
            }
            settings.queryClass = number
        }
        settings.queryName = try fields.text("query_name")
        if settings.queryName.isEmpty && isWritten { throw ConfigError("query name must be set for DNS module", at: node.position) }
        guard DNSName.encode(settings.queryName) != nil else {
            throw ConfigError("query name '\(settings.queryName)' is no name", at: node.position)
        }
        let type = try fields.text("query_type")
        if !type.isEmpty {
            guard let number = DNSNumbers.types[type] else { throw ConfigError("query type '\(type)' is not valid", at: node.position) }
            settings.queryType = number
        }
        settings.wantsRecursion = try fields.flag("recursion_desired", default: true)
        for code in try fields.strings("valid_rcodes") ?? [] {
            guard let number = DNSNumbers.codes[code] else { throw ConfigError("Invalid rcode \(code)", at: node.position) }
            settings.validCodes.append(number)
        }
        settings.answer = try recordCheck("validate_answer_rrs", &fields)
        settings.authority = try recordCheck("validate_authority_rrs", &fields)
        settings.additional = try recordCheck("validate_additional_rrs", &fields)
        try fields.finish()
        return (settings, fields.node)
    }

    private func recordCheck(_ name: String, _ fields: inout ShownFields) throws(ConfigError) -> DNSSettings.RecordCheck {
        var check = DNSSettings.RecordCheck()
        guard let node = fields.take(name) else { return check }
        var inner = try ShownFields(node, name)
        check.failsIfMatches = try patterns("fail_if_matches_regexp", &inner)
        check.failsIfAllMatch = try patterns("fail_if_all_match_regexp", &inner)
        check.failsIfNotMatches = try patterns("fail_if_not_matches_regexp", &inner)
        check.failsIfNoneMatches = try patterns("fail_if_none_matches_regexp", &inner)
        try inner.finish()
        fields.show(name, inner.node)
        return check
    }
}
