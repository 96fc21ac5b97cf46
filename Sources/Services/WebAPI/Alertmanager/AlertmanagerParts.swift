import Alerter
import Synchronization
import TSDB

/// The parts of a running Alertmanager that endpoints ask; a reload replaces those that come from the file.
public final class AlertmanagerParts: Sendable {
    /// What a configuration file gives.
    public struct Configured: Sendable {
        public var routes: RouteTree
        /// As it is shown: YAML, secrets hidden.
        public var text: String
        public init(_ config: AlertmanagerConfig) {
            routes = RouteTree(config.route)
            text = config.shown
        }
    }

    /// What came of sending a test notification to one integration.
    public struct TestResult: Sendable {
        public var integration: String
        public var index: Int
        public var outcome: NotificationOutcome
        /// What was sent and what came back, secrets hidden.
        public var exchange: String
        public init(integration: String, index: Int, outcome: NotificationOutcome, exchange: String) {
            self.integration = integration
            self.index = index
            self.outcome = outcome
            self.exchange = exchange
        }
    }

    /// Sends a test notification to all integrations of a receiver; `nil`: there is no such receiver.
    public typealias Test = @Sendable (_ receiver: String, _ alerts: [Alert]) async -> [TestResult]?

    public let machine: Alertmanager
    public let build: ServerStatus.Build
    public let startTime: Timestamp
    /// Called after every change, so that whoever drives the machine looks at its next wake again.
    let changed: @Sendable () -> Void
    let test: Test
    private let current: Mutex<Configured>

    public init(
        _ machine: Alertmanager, _ configured: Configured, build: ServerStatus.Build, startTime: Timestamp,
        test: @escaping Test = { _, _ in [] }, changed: @escaping @Sendable () -> Void = {}
    ) {
        self.machine = machine
        self.build = build
        self.startTime = startTime
        self.test = test
        self.changed = changed
        current = Mutex(configured)
    }

    public var configured: Configured { current.withLock { $0 } }

    public func use(_ configured: Configured) { current.withLock { $0 = configured } }
}
