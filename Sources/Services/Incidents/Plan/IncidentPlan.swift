import JSON
import NIOHTTP1
import Numbers

/// An incident written down before it happens: what is done, what is to be seen, what the bot will do, how it is taken back.
///
///     IncidentPlan(.latency, options) ─▶ begin   POST api /-/chaos {"latency_ms":1000,"path":"/health","for_s":180}
///                                       revert  DELETE api /-/chaos
///                                       checks  p95 between 2.3 and 2.5
///
/// A value: it opens no connection. `IncidentRun` does what it says.
public struct IncidentPlan: Sendable {
    public enum Service: String, Sendable { case api, worker, proxy, supervisor }

    /// One thing to do.
    public enum Step: Equatable, Sendable {
        /// With the token where the service wants one.
        case request(HTTPMethod, Service, String, json: String?)
        /// SIGKILL to the process that the supervisor runs under this name.
        case killProcess(String)
        case docker([String])
        /// This program again, as a child that presses on the machine.
        case press(Pressure)
    }

    /// A question to Prometheus that shows the incident.
    public struct Sight: Equatable, Sendable {
        public var title: String
        public var query: String
    }

    public let incident: Incident
    public var what: String
    public var sights: [Sight]
    public var bot: String
    /// The alert whose life is followed.
    public var alert: String
    /// Alerts that may fire beside it for the same reason; the bot heals once, for whichever comes first.
    public var kin: [String] = []
    /// Alerts that inhibition must keep quiet meanwhile.
    public var muted: [String] = []
    /// Of the bot's policy, the one that is helped; `nil`: the bot has nobody to help.
    public var target: String? = "api"
    /// How many actions make one healing. None: the bot only tells somebody.
    public var actions: ClosedRange<Int> = 1...1
    public var begin: [Step]
    public var revert: [Step]
    public var loadPath: String?
    /// Requests per second, where nobody says otherwise.
    public var loadRate = 20.0
    public var checks: [SightCheck] = []

    public init(_ incident: Incident, _ options: IncidentOptions = IncidentOptions()) {
        switch incident {
        case .latency: self = Self.latency(options)
        case .errors: self = Self.errors(options)
        case .status: self = Self.status(options)
        case .dbSlow: self = Self.databaseSlow(options)
        case .kill: self = Self.kill(options)
        case .cpu: self = Self.cpu(options)
        case .memory: self = Self.memory(options)
        case .partition: self = Self.partition(options)
        case .backlog: self = Self.backlog(options)
        }
    }

    init(
        _ incident: Incident, _ options: IncidentOptions, what: String, alert: String, bot: String, sights: [Sight], begin: [Step],
        revert: [Step]
    ) {
        self.incident = incident
        loadPath = incident.loadPath == nil ? nil : options.path ?? incident.loadPath
        self.what = what
        self.alert = alert
        self.bot = bot
        self.sights = sights
        self.begin = begin
        self.revert = revert
    }

    /// Every alert that the incident may have to do with; what others do does not matter to it.
    public var concerned: [String] { [alert] + kin + muted }

    /// What is said before it is done.
    public func announcement(_ addresses: StackAddresses) -> [String] {
        var lines = ["\(incident.rawValue): \(what)", "", "watch   \(addresses.prometheus)/alerts   alert \(alert)"]
        for sight in sights { lines.append("        \(sight.title)\n          \(sight.query)") }
        lines.append("bot     \(bot)")
        lines.append("        \(addresses.bot)/")
        return lines
    }
}

// MARK: The nine

extension IncidentPlan {
    public static let p95Query =
        "histogram_quantile(0.95, sum by (le) (rate(flask_http_request_duration_seconds_bucket{path=\"/health\"}[1m])))"
    static let exceptionsQuery = "sum(rate(flask_http_request_exceptions_total[1m]))"
    static let failuresQuery = "sum(rate(flask_http_request_total{status=~\"5..\"}[1m]))"
    /// Where scrapes are 5 s apart: one for the fault to be met, one evaluation to show it, and some for a busy machine.
    static let oneInterval = Duration.seconds(12)

    private static let takeBack = Step.request(.DELETE, .api, "/-/chaos", json: nil)

    private static func chaos(_ members: String, _ options: IncidentOptions, path: String?) -> Step {
        var json = "{" + members
        if let path { json += ",\"path\":\(quoted(path))" }
        if let probability = options.probability { json += ",\"probability\":\(NumberText.string(probability, style: .plain))" }
        return .request(.POST, .api, "/-/chaos", json: json + ",\"for_s\":\(seconds(options.length))}")
    }

    private static func latency(_ options: IncidentOptions) -> IncidentPlan {
        let path = options.path ?? "/health"
        let query = p95Query.replacing("/health", with: path)
        var plan = IncidentPlan(
            .latency, options,
            what: "requests to \(path) take \(milliseconds(options.latency)) ms longer for \(seconds(options.length)) s, unless healed before.",
            alert: "APIHighLatency", bot: "restarts the api (POST /-/quit; its restart policy brings it back without the fault).",
            sights: [
                Sight(title: "p95: a sleep of 1 s reads as 2.43, because all requests fall into (1, 2.5]: 1 + 1.5 × 0.95", query: query)
            ],
            begin: [chaos("\"latency_ms\":\(milliseconds(options.latency))", options, path: path)], revert: [takeBack])
        if options.latency == .seconds(1), options.probability == nil {
            plan.checks = [SightCheck("p95 reads between 2.3 and 2.5", query, .always(2.3...2.5, from: .seconds(65)))]
        }
        return plan
    }

    private static func errors(_ options: IncidentOptions) -> IncidentPlan {
        let path = options.path ?? "/transactions"
        var plan = IncidentPlan(
            .errors, options, what: "handlers of \(path) raise an exception for \(seconds(options.length)) s, unless healed before.",
            alert: "APIErrorRateHigh", bot: "restarts the api.",
            sights: [
                Sight(title: "exceptions per second: what the alert looks at", query: exceptionsQuery),
                Sight(title: "5xx per second: a raised exception ends as a 500, too", query: failuresQuery),
            ],
            begin: [chaos("\"throw\":true", options, path: path)], revert: [takeBack])
        // A raised exception is a 5xx as well: two alerts, one restart.
        plan.kin = ["API5xxRatioHigh"]
        plan.checks = [SightCheck("exceptions are counted", exceptionsQuery, .seen(.above(0)))]
        return plan
    }

    private static func status(_ options: IncidentOptions) -> IncidentPlan {
        let path = options.path ?? "/transactions"
        var plan = IncidentPlan(
            .status, options,
            what: "\(path) answers \(options.statusCode) for \(seconds(options.length)) s, unless healed before.",
            alert: "API5xxRatioHigh", bot: "restarts the api.",
            sights: [
                Sight(title: "5xx per second", query: failuresQuery),
                Sight(title: "exceptions per second: stays 0, for a returned status is no exception", query: exceptionsQuery),
            ],
            begin: [chaos("\"status\":\(options.statusCode)", options, path: path)], revert: [takeBack])
        plan.checks = [
            SightCheck("5xx are counted", failuresQuery, .seen(.above(0))),
            SightCheck("no exception is counted", "sum(increase(flask_http_request_exceptions_total[15s]))", .never(.above(0))),
        ]
        return plan
    }

    private static func databaseSlow(_ options: IncidentOptions) -> IncidentPlan {
        let query = "max(pg_stat_activity_max_tx_duration{datname=\"demo\"})"
        var plan = IncidentPlan(
            .dbSlow, options,
            what:
                "every query of the api sleeps \(milliseconds(options.databaseDelay)) ms in the database for \(seconds(options.length)) s, unless healed before.",
            alert: "DatabaseSlow",
            bot: "hears of the database only, for the api's own alerts are inhibited, and restarts the api: that cuts its slow transactions off.",
            sights: [
                Sight(title: "the longest transaction that runs", query: query),
                Sight(title: "p95 of /transactions", query: p95Query.replacing("/health", with: "/transactions")),
            ],
            begin: [chaos("\"db_delay_ms\":\(milliseconds(options.databaseDelay))", options, path: options.path)], revert: [takeBack])
        plan.muted = ["APIHighLatency", "APIErrorRateHigh", "API5xxRatioHigh"]
        // The api has 16 sessions. Five requests a second, of two seconds each, take ten; more would wait for one and end as 503s.
        plan.loadRate = 5
        plan.checks = [
            SightCheck("the database shows a long transaction", query, .seen(.above(1))),
            SightCheck("p95 of /transactions rises", p95Query.replacing("/health", with: "/transactions"), .seen(.above(1))),
        ]
        return plan
    }

    private static func kill(_ options: IncidentOptions) -> IncidentPlan {
        let begin: [Step]
        let revert: [Step]
        let how: String
        switch options.kill {
        case .stop:
            begin = [.request(.POST, .supervisor, "/services/api/stop", json: nil)]
            revert = [.request(.POST, .supervisor, "/services/api/start", json: nil)]
            how = "is stopped and stays down until somebody starts it"
        case .signal:
            begin = [.killProcess("api")]
            revert = []
            how = "gets SIGKILL; its restart policy brings it back"
        case .docker(let container):
            begin = [.docker(["stop", container])]
            revert = [.docker(["start", container])]
            how = "is stopped (docker stop \(container))"
        }
        var plan = IncidentPlan(
            .kill, options, what: "the api \(how).", alert: "APIDown", bot: "starts it again, once.",
            sights: [
                Sight(title: "the scrape fails", query: "up{job=\"api\"}"),
                Sight(title: "the probe fails", query: "probe_success{job=\"blackbox\"}"),
                Sight(title: "its series end at once (stale markers), not after five minutes", query: "count({job=\"api\",__name__=~\"flask_.+\"})"),
            ],
            begin: begin, revert: revert)
        plan.muted = ["APIProbeFailed", "APIHighLatency", "API5xxRatioHigh", "APIErrorRateHigh"]
        if options.kill == .signal {
            // Back before the alert's `for` is over: nothing for the bot to do.
            plan.actions = 0...1
        } else {
            plan.checks = [
                SightCheck("up is 0 within a scrape interval", "min(up{job=\"api\"})", .seen(.equal(0)), within: oneInterval),
                SightCheck(
                    "probe_success is 0 within a scrape interval", "min(probe_success{job=\"blackbox\",service=\"api\"})", .seen(.equal(0)),
                    within: oneInterval),
                SightCheck("its series are stale", "count({job=\"api\",__name__=~\"flask_.+\"})", .seen(.empty), within: oneInterval),
            ]
        }
        return plan
    }

    private static func cpu(_ options: IncidentOptions) -> IncidentPlan {
        let query = "1 - avg(rate(node_cpu_seconds_total{mode=\"idle\"}[1m]))"
        var plan = IncidentPlan(
            .cpu, options, what: "\(options.cores) threads of a child process compute for \(seconds(options.length)) s.",
            alert: "HostHighCPU", bot: "tells somebody: it does not know what to restart.",
            sights: [Sight(title: "busy", query: query), Sight(title: "load", query: "node_load1")],
            begin: [.press(Pressure(.cpu(cores: options.cores), for: options.length))], revert: [])
        plan.target = nil
        plan.actions = 0...1
        plan.checks = [SightCheck("processors are busy", query, .seen(.above(0.5)))]
        return plan
    }

    private static func memory(_ options: IncidentOptions) -> IncidentPlan {
        let query = "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"
        let amount = options.megabytes == 0 ? "so much memory that a twelfth of it stays available," : "\(options.megabytes) MB"
        var plan = IncidentPlan(
            .memory, options, what: "a child process holds \(amount) for \(seconds(options.length)) s.",
            alert: "HostLowMemory", bot: "tells somebody, where it is enough to make the alert fire.",
            sights: [Sight(title: "available", query: query)],
            begin: [.press(Pressure(.memory(megabytes: options.megabytes), for: options.length))], revert: [])
        plan.target = nil
        plan.actions = 0...1
        if options.megabytes == 0 { plan.checks = [SightCheck("less than a tenth is available", "1 - \(query)", .seen(.above(0.9)))] }
        return plan
    }

    private static func partition(_ options: IncidentOptions) -> IncidentPlan {
        let fault = options.fault
        let ready = "min(probe_success{job=\"blackbox\",instance=\"http://api:8000/-/ready\"})"
        var json = "{\"mode\":\"\(fault.mode.rawValue)\""
        if fault.mode == .delay { json += ",\"delay_ms\":\(milliseconds(fault.delay))" }
        json += ",\"for_s\":\(seconds(options.length))}"
        var plan = IncidentPlan(
            .partition, options,
            what: "the network between api and database: \(fault.mode.rawValue), for \(seconds(options.length)) s, unless healed before.",
            alert: "API5xxRatioHigh",
            bot: "restarts the api once, which does not mend a network: what it verifies is met when the network is back. up stays 1.",
            sights: [
                Sight(title: "5xx per second", query: failuresQuery), Sight(title: "the api can be scraped", query: "up{job=\"api\"}"),
                Sight(title: "it is not ready", query: ready),
                Sight(title: "the database can be reached (its exporter goes another way)", query: "pg_up"),
            ],
            begin: [.request(.POST, .proxy, "/-/fault", json: json)], revert: [.request(.DELETE, .proxy, "/-/fault", json: nil)])
        plan.kin = ["APIHighLatency", "APIErrorRateHigh"]
        plan.checks = [
            SightCheck("5xx are counted", failuresQuery, .seen(.above(0))),
            SightCheck("the api can be scraped throughout", "min(up{job=\"api\"})", .never(.equal(0)), until: .action),
        ]
        // A delay passes everything on.
        if fault.mode != .delay {
            plan.checks += [
                SightCheck("the probe of its readiness fails", ready, .seen(.equal(0))),
                SightCheck("the probe succeeds again", ready, .finally(.equal(1))),
            ]
        }
        return plan
    }

    private static func backlog(_ options: IncidentOptions) -> IncidentPlan {
        let length = "max(worker_queue_length{job=\"worker\"})", workers = "max(worker_concurrency{job=\"worker\"})"
        var plan = IncidentPlan(
            .backlog, options,
            what: "\(options.jobs) jobs are put into the queue; one worker does about 50 a second.",
            alert: "WorkerBacklog", bot: "scales the worker 1 → 3; when the queue is drained and the alert resolved, back to 1.",
            sights: [Sight(title: "jobs that wait", query: length), Sight(title: "workers", query: workers)],
            begin: [.request(.POST, .worker, "/-/enqueue?jobs=\(options.jobs)", json: nil)], revert: [])
        plan.target = "worker"
        plan.actions = 1...2
        plan.checks = [
            SightCheck("the queue is long", length, .seen(.above(200))),
            SightCheck("there are 3 workers", workers, .seen(.equal(3))),
            SightCheck("there is 1 worker again", workers, .finally(.equal(1))),
        ]
        return plan
    }

    // MARK: Text

    static func milliseconds(_ span: Duration) -> String { String(span.milliseconds) }

    /// Whole seconds, rounded up.
    static func seconds(_ span: Duration) -> String { LoadReport.fixed(span.seconds.rounded(.up), 0) }

    /// As a JSON string.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case "\0"..<" ": out += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
