import PromQL
import Scraper
import Synchronization
import TSDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the process knows of itself: built when, started when, ready or not, how the last reload went.
public final class ServerStatus: Sendable {
    public struct Build: Sendable {
        /// At least 2.24 and semver, or Grafana takes the server for too old to have features.
        public var version: String
        public var revision: String
        public var branch: String
        public var user: String
        public var date: String
        public init(
            version: String = "3.14.0+minprom.0.1.0", revision: String = "", branch: String = "", user: String = "",
            date: String = ""
        ) {
            self.version = version
            self.revision = revision
            self.branch = branch
            self.user = user
            self.date = date
        }
    }

    public struct Reload: Sendable {
        public var succeeded: Bool
        public var lastSuccess: Timestamp

        public init(succeeded: Bool, lastSuccess: Timestamp) {
            self.succeeded = succeeded
            self.lastSuccess = lastSuccess
        }
    }

    public let build: Build
    public let startTime: Timestamp
    /// Under their upstream names, without dashes; all values are strings.
    public let flags: [(name: String, value: String)]
    public let isLifecycleEnabled: Bool
    private let ready = Atomic<Bool>(false)
    private let current = Mutex<ServerParts?>(nil)
    private let reload: Mutex<Reload>

    public init(
        build: Build = Build(), startTime: Timestamp, flags: [(name: String, value: String)] = [],
        isLifecycleEnabled: Bool = false
    ) {
        self.build = build
        self.startTime = startTime
        self.flags = flags.sorted { $0.name < $1.name }
        self.isLifecycleEnabled = isLifecycleEnabled
        reload = Mutex(Reload(succeeded: true, lastSuccess: startTime))
    }

    /// False while the log is replayed, and again once the server stops.
    public var isReady: Bool { ready.load(ordering: .acquiring) }

    public func setReady(_ isReady: Bool) { ready.store(isReady, ordering: .releasing) }

    /// What endpoints work on; none before the log was replayed.
    public var parts: ServerParts? { current.withLock { $0 } }

    /// Replaces the parts as a whole: requests see the old ones or the new ones.
    public func use(_ parts: ServerParts) { current.withLock { $0 = parts } }

    public var lastReload: Reload { reload.withLock { $0 } }

    public func reloaded(at now: Timestamp, successfully: Bool) {
        reload.withLock {
            $0.succeeded = successfully
            if successfully { $0.lastSuccess = now }
        }
    }

    /// `storage.tsdb.retention.time`, and the size where there is one.
    var retention: String {
        let time = flag("storage.tsdb.retention.time"), size = flag("storage.tsdb.retention.size")
        return size.isEmpty || size == "0" ? time : "\(time) or \(size)"
    }

    let hostName: String = {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    let workingDirectory: String = {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }()

    let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    public func flag(_ name: String) -> String { flags.first { $0.name == name }?.value ?? "" }
}

/// The parts of a running server that endpoints ask.
public struct ServerParts: Sendable {
    public var database: Database
    public var engine: Engine
    /// `nil`: nothing is scraped.
    public var scraper: Scraper?
    /// The configuration as `/api/v1/status/config` shows it: YAML, secrets hidden.
    public var configuration: String
    /// `query_log_file`.
    public var queryLog: QueryLog?
    /// None for a database in memory.
    public var activeQueries: ActiveQueries?
    public var rules: RulesView
    /// What series are given that leave this server.
    public var externalLabels: Labels

    public init(
        database: Database, engine: Engine, scraper: Scraper? = nil, configuration: String = "", queryLog: QueryLog? = nil,
        activeQueries: ActiveQueries? = nil, rules: RulesView = RulesView(), externalLabels: Labels = Labels()
    ) {
        self.externalLabels = externalLabels
        self.rules = rules
        self.queryLog = queryLog
        self.activeQueries = activeQueries
        self.scraper = scraper
        self.database = database
        self.engine = engine
        self.configuration = configuration
    }
}
