import TSDB

/// What the bot may do: the content of `bot/policy.yml`.
///
///     alert ─▶ first policy whose `match` holds ─▶ steps, in order ─▶ verify ─▶ next step … ─▶ escalate
///
/// Everything that can be done to the world stands here by name: targets, requests, commands, notifiers. An alert chooses among
/// them and can add nothing.
public struct BotPolicy: Equatable, Sendable {
    public enum Mode: String, Sendable { case automatic = "auto", approval, dryRun = "dry-run" }

    /// A way to act on a service, in the order in which a policy tries them.
    public enum Actuator: String, Sendable, CaseIterable { case service, supervisor, docker }

    public struct Source: Equatable, Sendable {
        public var name: String
        /// Beginnings of what the payload says; empty ones say nothing.
        public var externalURL = ""
        public var userAgent = ""
        /// Base URL of the Prometheus that is asked whether an action helped.
        public var prometheus = ""

        public init(name: String, externalURL: String = "", userAgent: String = "", prometheus: String = "") {
            self.name = name
            self.externalURL = externalURL
            self.userAgent = userAgent
            self.prometheus = prometheus
        }
    }

    /// A service that actions may be aimed at.
    public struct Target: Equatable, Sendable {
        /// Base URL, for the `service` actuator.
        public var url = ""
        /// Name of the service at the supervisor; empty: its own name.
        public var supervisor = ""
        /// Container name, for the `docker` actuator.
        public var container = ""
        public var mayRestart = false
        /// Numbers of workers it may be scaled to.
        public var scale: ClosedRange<Int>?

        public init(url: String = "", supervisor: String = "", container: String = "", mayRestart: Bool = false, scale: ClosedRange<Int>? = nil) {
            self.url = url
            self.supervisor = supervisor
            self.container = container
            self.mayRestart = mayRestart
            self.scale = scale
        }
    }

    public struct Request: Equatable, Sendable {
        public var method = "POST"
        public var url: String
        public var body = ""
        /// Environment variable (or `…_FILE`) with a bearer token; empty: none.
        public var tokenVariable = ""

        public init(url: String) { self.url = url }
    }

    public struct Command: Equatable, Sendable {
        /// Absolute path and arguments; `{labels.x}` in arguments is an alert's label.
        public var argv: [String]
        public init(argv: [String]) { self.argv = argv }
    }

    /// Where people hear of it: a URL that takes JSON, or a file that gets a line.
    public enum Notifier: Equatable, Sendable { case url(String), file(String) }

    public enum Action: Equatable, Sendable {
        case restart(target: String, via: [Actuator])
        case scale(target: String, to: Int, via: [Actuator])
        case http(request: String)
        case run(command: String)
        case notify(notifier: String)
        case ticket(notifier: String)

        public var name: String {
            switch self {
            case .restart: "restart"
            case .scale: "scale"
            case .http: "http"
            case .run: "run"
            case .notify: "notify"
            case .ticket: "ticket"
            }
        }
    }

    public struct Step: Equatable, Sendable {
        public var action: Action
        /// The policy's own where left out.
        public var mode: Mode?
        public var timeout = Duration.seconds(10)

        public init(_ action: Action, mode: Mode? = nil, timeout: Duration = .seconds(10)) {
            self.action = action
            self.mode = mode
            self.timeout = timeout
        }
    }

    /// How the bot finds out whether an action helped.
    public struct Verification: Equatable, Sendable {
        public var query: String
        public var condition: Condition
        /// Not asked before, counted from the action.
        public var delay = Duration.seconds(5)
        public var every = Duration.seconds(5)
        public var within = Duration.minutes(2)
        /// Whether no series, or none with a number, is as good as the condition.
        public var emptyIsFine = false

        public init(query: String, condition: Condition) {
            self.query = query
            self.condition = condition
        }
    }

    /// Limits of one policy, kept per target.
    public struct Limits: Equatable, Sendable {
        public var cooldown = Duration.minutes(2)
        public var maximum = 3
        public var window = Duration.minutes(10)
        /// Actions in a row, none further from the next than `stable`, after which the circuit opens.
        public var strikes = 3
        public var stable = Duration.minutes(10)
        /// How long an open circuit stays open.
        public var reset = Duration.minutes(30)
        public init() {}
    }

    public struct Match: Equatable, Sendable {
        public var label: String
        public var values: [String]

        public init(_ label: String, _ values: [String]) {
            self.label = label
            self.values = values
        }
    }

    public struct Policy: Equatable, Sendable {
        public var name: String
        /// All must hold.
        public var match: [Match]
        public var mode = Mode.automatic
        public var steps: [Step]
        public var verify: Verification?
        public var limits = Limits()
        /// Notifiers of an escalation.
        public var escalate: [String] = []
        /// Unresolved for longer than this: escalated.
        public var escalateAfter: Duration? = .minutes(15)
        /// At once: nothing here can be remedied by us.
        public var escalatesAtOnce = false
        /// Undoes, once the alert is over, what the steps did.
        public var onResolve: [Step] = []
        public var approvalExpiry = Duration.minutes(30)

        public init(name: String, match: [Match], steps: [Step]) {
            self.name = name
            self.match = match
            self.steps = steps
        }

        public func matches(_ labels: Pairs) -> Bool {
            match.allSatisfy { match in match.values.contains(labels[match.label] ?? "") }
        }
    }

    public var isDryRun = false
    /// Actions in an hour, whatever the target.
    public var actionsPerHour = 10
    public var sources: [Source] = []
    public var targets: [String: Target] = [:]
    public var requests: [String: Request] = [:]
    public var commands: [String: Command] = [:]
    public var notifiers: [String: Notifier] = [:]
    public var policies: [Policy] = []

    public init() {}

    public func policy(for labels: Pairs) -> Policy? { policies.first { $0.matches(labels) } }

    public func policy(named name: String) -> Policy? { policies.first { $0.name == name } }

    /// The first source whose beginnings fit; without any the only one there is, or `unknown`.
    public func source(externalURL: String, userAgent: String) -> String {
        for source in sources {
            if source.externalURL.isEmpty && source.userAgent.isEmpty { return source.name }
            if !source.externalURL.isEmpty && !externalURL.hasPrefix(source.externalURL) { continue }
            if !source.userAgent.isEmpty && !userAgent.hasPrefix(source.userAgent) { continue }
            return source.name
        }
        return "unknown"
    }

    /// The Prometheus of a source; of an unknown one the first that is written.
    public func prometheus(of source: String) -> String? {
        let url = (sources.first { $0.name == source } ?? sources.first { !$0.prometheus.isEmpty })?.prometheus
        return url.flatMap { $0.isEmpty ? nil : $0 }
    }
}
