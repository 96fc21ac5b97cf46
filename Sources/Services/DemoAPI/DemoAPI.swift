import DemoStore
import HTTPServer
import HTTPTypes
import Logging
import NIOCore
import Postgres
import SelfMetrics
import ServiceProcess
import Synchronization

/// The demo's api: a small application, measured as prometheus_flask_exporter would measure it, that can be told to misbehave.
///
///     request ─▶ /metrics, /-/… : answered here, not measured, never faulty
///            └─▶ fault (wait, raise, status) ─▶ Application ─▶ measured: method, path, status, seconds, raised
public final class DemoAPI: HTTPService {
    public let packing: ThreadPool
    public let answers: ThreadPool
    private let application: Application
    private let metrics: FlaskMetrics
    private let faults: Mutex<FaultState>
    private let pool: ConnectionPool
    private let token: AccessToken
    private let stop: StopRequest
    private let logger: Logger
    private let isStopping = Atomic<Bool>(false)
    /// 0..<1, for faults that strike some requests only.
    private let chance: @Sendable () -> Double

    package init(
        _ pool: ConnectionPool, fault: Fault = Fault(), strictParity: Bool = false, token: AccessToken, stop: StopRequest, logger: Logger,
        now: @escaping @Sendable () -> Double, chance: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        let threads = ThreadPool("api", threads: 1)
        packing = threads
        answers = threads
        application = Application(store: TransactionStore(pool))
        metrics = FlaskMetrics(methods: ["GET", "POST"], strictParity: strictParity, now: now)
        faults = Mutex(FaultState(fault))
        self.pool = pool
        self.token = token
        self.stop = stop
        self.logger = logger
        self.chance = chance
    }

    /// The fault of the environment; throws a line for the user.
    package static func environmentFault(_ value: (String) -> String?) throws(StartError) -> Fault {
        do throws(FaultText.Mistake) { return try FaultText.environment(value) } catch { throw StartError(error.message) }
    }

    public func answer(_ request: APIRequest) async -> Reply {
        if let reply = await ownAnswer(request) { return reply }
        let clock = ContinuousClock(), begin = clock.now
        let fault = faults.withLock { $0.current(at: begin) }.striking(request.path, chance: chance())
        var raised = false
        let reply: Reply
        do throws(Application.Exception) {
            reply = try await answer(request, fault)
        } catch {
            raised = true
            logger.error("Exception", metadata: ["path": "\(request.path)", "error": "\(error.message)"])
            reply = Application.error("internal server error", .internalServerError)
        }
        let (seconds, attoseconds) = (clock.now - begin).components
        metrics.record(
            method: request.method.rawValue, path: request.path, isKnownPath: Application.methods(of: request.path) != nil,
            status: reply.status.code, seconds: Double(seconds) + Double(attoseconds) / 1e18, raised: raised)
        return reply
    }

    private func answer(_ request: APIRequest, _ fault: Fault) async throws(Application.Exception) -> Reply {
        if fault.latency > .zero { try? await Task.sleep(for: fault.latency) }
        if fault.throwsException { throw Application.Exception("raised on purpose") }
        if let status = fault.status { return Application.error("answered on purpose", .init(code: status)) }
        return try await application.answer(request, databaseDelay: fault.databaseDelay)
    }

    // MARK: What is not the application's

    private func ownAnswer(_ request: APIRequest) async -> Reply? {
        switch (request.path, request.method) {
        case ("/metrics", .get), ("/metrics", .head): return page(request)
        case ("/-/healthy", .get), ("/-/healthy", .head): return .text("api is Healthy.\n")
        case ("/-/ready", .get), ("/-/ready", .head):
            if isStopping.load(ordering: .relaxed) { return .text("stopping\n", .serviceUnavailable) }
            if let error = await pool.ping() { return .text("database: \(error)\n", .serviceUnavailable) }
            return .text("api is Ready.\n")
        case ("/-/chaos", let method): return token.refusal(of: request) ?? chaos(method, request.body)
        case ("/-/quit", .post):
            if let refusal = token.refusal(of: request) { return refusal }
            logger.info("Asked to quit")
            isStopping.store(true, ordering: .relaxed)
            stop.ask()
            return .text("Stopping.\n")
        default: return request.path.hasPrefix("/-/") ? .notFound : nil
        }
    }

    private func page(_ request: APIRequest) -> Reply {
        var page = FlaskPage(metrics.snapshot, process: ProcessMetrics.snapshot())
        let names = request.parameters.all("name[]")
        if !names.isEmpty { page.keep(Set(names)) }
        let wantsOpenMetrics = (request.headers[.accept] ?? "").split(separator: ",").contains {
            $0.prefix { $0 != ";" }.drop { $0 == " " } == "application/openmetrics-text"
        }
        return Reply(
            .ok,
            contentType: wantsOpenMetrics
                ? "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
                : "text/plain; version=0.0.4; charset=utf-8",
            body: ByteBuffer(bytes: page.bytes(wantsOpenMetrics ? .openMetrics : .text)))
    }

    private func chaos(_ method: HTTPRequest.Method, _ body: ByteBuffer) -> Reply {
        let now = ContinuousClock.now
        switch method {
        case .get, .head: break
        case .post:
            do throws(FaultText.Mistake) {
                let wish = try FaultText.parse(body)
                faults.withLock { $0.set(wish.fault, for: wish.duration, at: now) }
                logger.warning("Faults from now on", metadata: ["fault": "\(String(buffer: body))"])
            } catch { return Application.error(error.message, .badRequest) }
        case .delete:
            faults.withLock { $0.revert() }
            logger.info("No more faults")
        default: return Application.error("method not allowed", .methodNotAllowed)
        }
        let (fault, remaining) = faults.withLock { ($0.current(at: now), $0.remaining(at: now)) }
        var text = JSONText(capacity: 256)
        FaultText.write(fault, remaining: remaining, to: &text)
        return .json(text.take())
    }
}
