import HTTPServer
import NIOCore
import SelfMetrics

/// `/-/healthy`, `/-/ready`, `/-/reload`, `/-/quit`, `/metrics`.
extension WebAPI {
    func addLifecycle(to routes: inout Routes, registry: MetricsRegistry) {
        let status = status, hooks = hooks
        routes.on([.get, .head], "/-/healthy") { _ in .text("Prometheus Server is Healthy.\n") }
        routes.on([.get, .head], "/-/ready") { _ in
            status.isReady ? .text("Prometheus Server is Ready.\n") : .text("Service Unavailable", .serviceUnavailable)
        }
        routes.on([.post, .put], "/-/reload") { _ in
            guard status.isLifecycleEnabled else { return .text("Lifecycle API is not enabled.", .forbidden) }
            if let failure = await hooks.reload() {
                return .text("failed to reload config: \(failure)\n", .internalServerError)
            }
            return .text("")
        }
        routes.on([.post, .put], "/-/quit") { _ in
            guard status.isLifecycleEnabled else { return .text("Lifecycle API is not enabled.", .forbidden) }
            hooks.quit()
            return .text("Requesting termination... Goodbye!")
        }
        let pool = lanes.light
        routes.on([.get], "/metrics") { request throws(APIError) in
            let format = PageFormat(accepted: request.headers[.accept])
            do throws(ThreadPool.Full) {
                let page = try await pool.run { registry.page(format) }
                return Reply(.ok, contentType: format.contentType, body: ByteBuffer(bytes: page))
            } catch {
                throw APIError(.unavailable, "too many requests are waiting")
            }
        }
    }

    /// What endpoints ask of the process around them.
    public struct Hooks: Sendable {
        /// Loads the configuration again; the text of what is wrong with it, or `nil`.
        public var reload: @Sendable () async -> String?
        /// Begins the end of the process.
        public var quit: @Sendable () -> Void

        public init(
            reload: @escaping @Sendable () async -> String? = { nil }, quit: @escaping @Sendable () -> Void = {}
        ) {
            self.reload = reload
            self.quit = quit
        }
    }
}
