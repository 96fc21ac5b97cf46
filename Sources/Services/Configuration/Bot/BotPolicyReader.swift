import BotCore
import Numbers
import TSDB

/// Reads `bot/policy.yml`, and refuses what could not be done or would do harm: names that stand nowhere, steps without limits,
/// label values outside arguments.
///
///     targets: {api: {url: http://api:8000, restart: true}}
///     policies:
///     - name: api-slow
///       match: {alertname: [APIHighLatency], service: api}
///       steps: [{restart: api, via: [service, supervisor]}]
///       verify: {query: …, condition: "< 0.2", within: 2m}
///       escalate: [pager]
public enum BotPolicyReader {
    public static let maximumPolicies = 500
    static let maximumSteps = 20

    public static func read(_ text: [UInt8]) throws(ConfigError) -> BotPolicy {
        var root = try Fields(try YAMLReader.read(text), "bot policy")
        var policy = BotPolicy()
        policy.isDryRun = try root.bool("dry_run") ?? false
        policy.actionsPerHour = try root.count("max_actions_per_hour") ?? policy.actionsPerHour
        for node in try root.items("sources") { policy.sources.append(try source(node)) }
        for (name, node) in try entries(root.take("targets"), "targets") {
            guard LabelArgument.isSafe(name) else { throw ConfigError("\(name) is no name for a target", at: node.position) }
            policy.targets[name] = try target(node)
        }
        for (name, node) in try entries(root.take("requests"), "requests") { policy.requests[name] = try request(node) }
        for (name, node) in try entries(root.take("commands"), "commands") { policy.commands[name] = try command(node) }
        for (name, node) in try entries(root.take("notifiers"), "notifiers") { policy.notifiers[name] = try notifier(node) }
        let defaults = try root.take("defaults")
        var names: Set<String> = []
        for node in try root.items("policies") {
            let one = try self.policy(node, defaults: defaults, policy)
            guard names.insert(one.name).inserted else { throw ConfigError("two policies are named \(one.name)", at: node.position) }
            policy.policies.append(one)
        }
        guard policy.policies.count <= maximumPolicies else { throw ConfigError("more than \(maximumPolicies) policies") }
        try root.finish()
        return policy
    }

    private static func entries(_ node: YAMLNode?, _ kind: String) throws(ConfigError) -> [(String, YAMLNode)] {
        guard let node else { return [] }
        guard case .mapping(let entries) = node.content else { throw ConfigError("\(kind) must be a mapping", at: node.position) }
        return entries.map { ($0.key, $0.value) }
    }

    private static func source(_ node: YAMLNode) throws(ConfigError) -> BotPolicy.Source {
        var fields = try Fields(node, "source")
        let source = BotPolicy.Source(
            name: try fields.required("name"), externalURL: try fields.string("external_url") ?? "",
            userAgent: try fields.string("user_agent") ?? "", prometheus: try url(fields.string("prometheus"), node) ?? "")
        try fields.finish()
        return source
    }

    private static func target(_ node: YAMLNode) throws(ConfigError) -> BotPolicy.Target {
        var fields = try Fields(node, "target")
        var target = BotPolicy.Target()
        target.url = try url(fields.string("url"), node) ?? ""
        target.supervisor = try name(fields.string("supervisor"), node) ?? ""
        target.container = try name(fields.string("container"), node) ?? ""
        target.mayRestart = try fields.bool("restart") ?? false
        if let scale = fields.take("scale") {
            var bounds = try Fields(scale, "scale")
            let least = try bounds.count("min") ?? 1, most = try bounds.count("max") ?? 1
            guard least <= most, most <= 1000 else { throw ConfigError("scale: min is above max, or max above 1000", at: scale.position) }
            target.scale = least...most
            try bounds.finish()
        }
        try fields.finish()
        return target
    }

    /// Names go into paths of the supervisor's and Docker's.
    private static func name(_ text: String?, _ node: YAMLNode) throws(ConfigError) -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard LabelArgument.isSafe(text) else { throw ConfigError("\(text) is no name of a service", at: node.position) }
        return text
    }

    private static func url(_ text: String?, _ node: YAMLNode) throws(ConfigError) -> String? {
        guard var text, !text.isEmpty else { return nil }
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && !text.contains("{")
        guard isPlain, text.hasPrefix("http://") || text.hasPrefix("https://") else {
            throw ConfigError("\(text) is no address such as http://api:8000", at: node.position)
        }
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }

    private static func request(_ node: YAMLNode) throws(ConfigError) -> BotPolicy.Request {
        var fields = try Fields(node, "request")
        guard let url = try url(try fields.required("url"), node) else { throw ConfigError("url is empty", at: node.position) }
        var request = BotPolicy.Request(url: url)
        request.method = try fields.string("method") ?? "POST"
        guard ["GET", "POST", "PUT", "DELETE"].contains(request.method) else {
            throw ConfigError("method \(request.method) is not one of GET, POST, PUT, DELETE", at: node.position)
        }
        request.body = try fields.string("body") ?? ""
        request.tokenVariable = try fields.string("token_env") ?? ""
        try fields.finish()
        return request
    }

    private static func command(_ node: YAMLNode) throws(ConfigError) -> BotPolicy.Command {
        var fields = try Fields(node, "command")
        let argv = try fields.strings("argv") ?? []
        guard let path = argv.first, path.hasPrefix("/"), !path.contains("{") else {
            throw ConfigError("argv must begin with an absolute path", at: node.position)
        }
        for word in argv where LabelArgument.labels(in: word) == nil || word.utf8.contains(0) {
            throw ConfigError("\(word): a brace is left open", at: node.position)
        }
        try fields.finish()
        return BotPolicy.Command(argv: argv)
    }

    private static func notifier(_ node: YAMLNode) throws(ConfigError) -> BotPolicy.Notifier {
        var fields = try Fields(node, "notifier")
        let address = try url(fields.string("url"), node), file = try fields.string("file")
        try fields.finish()
        switch (address, file) {
        case (let address?, nil): return .url(address)
        case (nil, let file?): return .file(file)
        default: throw ConfigError("a notifier has either a url or a file", at: node.position)
        }
    }
}
