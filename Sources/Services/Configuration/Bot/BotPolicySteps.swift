import BotCore
import PromQL
import TSDB

/// One policy of the file: what it is for, its steps, its limits.
extension BotPolicyReader {
    static func policy(_ node: YAMLNode, defaults: YAMLNode?, _ all: BotPolicy) throws(ConfigError) -> BotPolicy.Policy {
        var fields = try Fields(node, "policy")
        let name = try fields.required("name")
        var policy = BotPolicy.Policy(name: name, match: [], steps: [])
        guard let match = fields.take("match"), case .mapping(let entries) = match.content, !entries.isEmpty else {
            throw ConfigError("policy \(name) matches nothing: match is a mapping of labels to values", at: node.position)
        }
        for entry in entries {
            switch entry.value.content {
            case .sequence(let items):
                var values: [String] = []
                for item in items { values.append(try item.text(entry.key)) }
                policy.match.append(.init(entry.key, values))
            case .scalar, .mapping: policy.match.append(.init(entry.key, [try entry.value.text(entry.key)]))
            }
        }
        policy.mode = try fields.choice("mode") ?? .automatic
        policy.steps = try steps(fields.items("steps"), all)
        policy.onResolve = try steps(fields.items("on_resolve"), all)
        if let verify = fields.take("verify") { policy.verify = try verification(verify) }
        policy.escalate = try notifiers(fields.strings("escalate"), all, node)
        policy.escalatesAtOnce = try fields.bool("escalate_now") ?? false
        policy.approvalExpiry = try fields.duration("approval_expires") ?? policy.approvalExpiry
        // What the file's `defaults` say stands where the policy says nothing.
        if let defaults {
            var general = try Fields(defaults, "defaults")
            if policy.escalate.isEmpty { policy.escalate = try notifiers(general.strings("escalate"), all, defaults) }
            try limits(&policy, &general)
        }
        try limits(&policy, &fields)
        guard policy.limits.maximum > 0, policy.limits.strikes > 0 else {
            throw ConfigError("policy \(name): max_actions and circuit are at least 1", at: node.position)
        }
        let acts = policy.steps.contains { step in
            switch step.action {
            case .restart, .scale, .http, .run: true
            case .notify, .ticket: false
            }
        }
        if policy.mode == .approval, policy.escalate.isEmpty {
            throw ConfigError("policy \(name) asks for approval and has nobody to ask: escalate is empty", at: node.position)
        }
        if acts, policy.mode != .dryRun, policy.verify == nil, policy.escalate.isEmpty {
            throw ConfigError("policy \(name) acts and neither verifies nor escalates", at: node.position)
        }
        try fields.finish()
        return policy
    }

    private static func limits(_ policy: inout BotPolicy.Policy, _ fields: inout Fields) throws(ConfigError) {
        policy.limits.cooldown = try fields.duration("cooldown") ?? policy.limits.cooldown
        policy.limits.maximum = try fields.count("max_actions") ?? policy.limits.maximum
        policy.limits.window = try fields.duration("window") ?? policy.limits.window
        policy.limits.strikes = try fields.count("circuit") ?? policy.limits.strikes
        policy.limits.stable = try fields.duration("stable") ?? policy.limits.stable
        policy.limits.reset = try fields.duration("circuit_reset") ?? policy.limits.reset
        if let after = try fields.duration("escalate_after") { policy.escalateAfter = after > .zero ? after : nil }
    }

    private static func notifiers(_ names: [String]?, _ all: BotPolicy, _ node: YAMLNode) throws(ConfigError) -> [String] {
        for name in names ?? [] where all.notifiers[name] == nil {
            throw ConfigError("\(name) is not one of the notifiers", at: node.position)
        }
        return names ?? []
    }

    private static func verification(_ node: YAMLNode) throws(ConfigError) -> BotPolicy.Verification {
        var fields = try Fields(node, "verify")
        let query = try fields.required("query"), text = try fields.required("condition")
        guard let condition = Condition(text) else {
            throw ConfigError("condition \(text) is not a comparison with a number, such as \"< 0.2\"", at: node.position)
        }
        do throws(QueryError) { _ = try Parser.parse(query) } catch {
            throw ConfigError("verify: the query cannot be parsed: \(error.message)", at: node.position)
        }
        var verify = BotPolicy.Verification(query: query, condition: condition)
        verify.delay = try fields.duration("delay") ?? verify.delay
        verify.every = try fields.duration("every") ?? verify.every
        verify.within = try fields.duration("within") ?? verify.within
        verify.emptyIsFine = try fields.bool("empty_ok") ?? false
        guard verify.every >= .seconds(1), verify.within >= .seconds(1) else {
            throw ConfigError("verify: every and within are at least 1s", at: node.position)
        }
        try fields.finish()
        return verify
    }

    private static func steps(_ nodes: [YAMLNode], _ all: BotPolicy) throws(ConfigError) -> [BotPolicy.Step] {
        guard nodes.count <= maximumSteps else { throw ConfigError("more than \(maximumSteps) steps", at: nodes.first?.position) }
        var steps: [BotPolicy.Step] = []
        for node in nodes { steps.append(try step(node, all)) }
        return steps
    }

    private static func step(_ node: YAMLNode, _ all: BotPolicy) throws(ConfigError) -> BotPolicy.Step {
        var fields = try Fields(node, "step")
        let restart = try fields.string("restart"), scale = try fields.string("scale"), http = try fields.string("http")
        let run = try fields.string("run"), notify = try fields.string("notify"), ticket = try fields.string("ticket")
        guard [restart, scale, http, run, notify, ticket].compactMap({ $0 }).count == 1 else {
            throw ConfigError("a step is one of restart, scale, http, run, notify, ticket", at: node.position)
        }
        var via: [BotPolicy.Actuator] = []
        if restart != nil || scale != nil {
            for name in try fields.strings("via") ?? ["service"] {
                guard let actuator = BotPolicy.Actuator(rawValue: name) else {
                    throw ConfigError("via: \(name) is not one of service, supervisor, docker", at: node.position)
                }
                via.append(actuator)
            }
            guard !via.isEmpty else { throw ConfigError("via is empty", at: node.position) }
        }
        let action: BotPolicy.Action
        if let restart {
            try check(restart, via, all, node) { $0.mayRestart }
            action = .restart(target: restart, via: via)
        } else if let scale {
            let count = try fields.count("to") ?? 0
            try check(scale, via, all, node) { $0.scale?.contains(count) == true }
            guard !via.contains(.docker) else { throw ConfigError("docker scales nothing", at: node.position) }
            action = .scale(target: scale, to: count, via: via)
        } else if let http {
            guard all.requests[http] != nil else { throw ConfigError("\(http) is not one of the requests", at: node.position) }
            action = .http(request: http)
        } else if let run {
            guard all.commands[run] != nil else { throw ConfigError("\(run) is not one of the commands", at: node.position) }
            action = .run(command: run)
        } else {
            _ = try notifiers([notify ?? ticket ?? ""], all, node)
            action = notify.map { .notify(notifier: $0) } ?? .ticket(notifier: ticket ?? "")
        }
        var step = BotPolicy.Step(action)
        step.mode = try fields.choice("mode")
        step.timeout = try fields.duration("timeout") ?? step.timeout
        guard step.timeout >= .milliseconds(100), step.timeout <= .minutes(10) else {
            throw ConfigError("timeout is not between 100ms and 10m", at: node.position)
        }
        try fields.finish()
        return step
    }

    /// A target by name must be on the list and allow the action; one by label is looked up when the alert comes.
    private static func check(
        _ name: String, _ via: [BotPolicy.Actuator], _ all: BotPolicy, _ node: YAMLNode, _ allows: (BotPolicy.Target) -> Bool
    ) throws(ConfigError) {
        guard let labels = LabelArgument.labels(in: name) else { throw ConfigError("\(name): a brace is left open", at: node.position) }
        guard labels.isEmpty else { return }
        guard let target = all.targets[name] else { throw ConfigError("\(name) is not one of the targets", at: node.position) }
        guard allows(target) else { throw ConfigError("target \(name) does not allow this", at: node.position) }
        if via.contains(.service), target.url.isEmpty { throw ConfigError("target \(name) has no url", at: node.position) }
        if via.contains(.docker), target.container.isEmpty { throw ConfigError("target \(name) has no container", at: node.position) }
    }
}
