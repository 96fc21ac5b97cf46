import HTTPServer
import HTTPTypes
import NIOCore
import Numbers
import Supervisor
import TSDB

/// The control socket's HTTP: what `minprom ps|stop|restart|scale|down` and the alert bot ask.
///
///     GET  /services, /services/NAME, /services/NAME/logs?lines=N
///     POST /services/NAME/start|stop|restart, /services/NAME/scale?replicas=N      202: it is on its way
///     POST /down                                                                   everything stops, then the supervisor
///
/// No token: who may open the socket (0600) may do all this.
public struct ControlAPI: HTTPService {
    public static let maximumLogLines = 10_000

    private let host: StackHost
    private let state: StateDirectory
    private let whenDown: @Sendable () -> Void
    public let packing = ThreadPool("control", threads: 1)
    public var answers: ThreadPool { packing }

    /// `whenDown` is called when everything is to end.
    public init(_ host: StackHost, _ state: StateDirectory, whenDown: @escaping @Sendable () -> Void) {
        self.host = host
        self.state = state
        self.whenDown = whenDown
    }

    public func answer(_ request: APIRequest) async -> Reply {
        let parts = request.path.split(separator: "/").map(String.init)
        switch (request.method, parts.first, parts.count) {
        case (.get, "services", 1): return .json(Self.list(await host.status()))
        case (.get, "services", 2):
            guard let status = await host.status().first(where: { $0.name == parts[1] }) else {
                return Self.unknown(parts[1])
            }
            var json = JSONText()
            Self.append(status, to: &json)
            return .json(json.take())
        case (.get, "services", 3) where parts[2] == "logs": return await logs(parts[1], request.parameters["lines"])
        case (.post, "services", 3): return await change(parts[1], parts[2], request.parameters)
        case (.post, "down", 1):
            whenDown()
            return Self.accepted
        case (.get, "-", 2) where parts[1] == "healthy": return .text("supervisor is healthy\n")
        default: return .notFound
        }
    }

    private func change(_ name: String, _ verb: String, _ parameters: Parameters) async -> Reply {
        guard host.plan.project.service(name) != nil else { return Self.unknown(name) }
        if host.plan.isExternal(name) { return Self.failure("\(name) runs elsewhere", .conflict) }
        switch verb {
        case "start": await host.request { machine, now in machine.start([name], at: now) }
        case "stop": await host.request { machine, now in machine.stop([name], at: now) }
        case "restart":
            await host.request { machine, now in
                machine.instances(of: name).isEmpty ? machine.start([name], at: now) : machine.restart(name, at: now)
            }
        case "scale":
            guard let replicas = Int(parameters["replicas"]), (0...StackMachine.maximumReplicas).contains(replicas)
            else {
                return Self.failure("replicas must be a number from 0 to \(StackMachine.maximumReplicas)", .badRequest)
            }
            await host.request { machine, now in machine.scale(name, to: replicas, at: now) }
        default: return .notFound
        }
        return Self.accepted
    }

    private func logs(_ name: String, _ lines: String) async -> Reply {
        guard host.plan.project.service(name) != nil else { return Self.unknown(name) }
        let count = min(Int(lines) ?? 100, Self.maximumLogLines), path = state.log(name)
        guard count > 0, let text = try? await packing.run({ LogFile.tail(path, lines: count) }) else {
            return Self.failure("lines must be a number from 1 up", .badRequest)
        }
        return .text(text)
    }

    // MARK: JSON

    private static var accepted: Reply { .json(ByteBuffer(string: "{\"status\":\"accepted\"}"), .accepted) }

    private static func unknown(_ name: String) -> Reply { failure("there is no service \"\(name)\"", .notFound) }

    private static func failure(_ message: String, _ status: HTTPResponse.Status) -> Reply {
        var json = JSONText()
        json.append("{\"error\":")
        json.appendQuoted(message)
        json.append("}")
        return .json(json.take(), status)
    }

    static func list(_ all: [ServiceStatus]) -> ByteBuffer {
        var json = JSONText()
        json.append("[")
        for (index, status) in all.enumerated() {
            if index > 0 { json.append(",") }
            append(status, to: &json)
        }
        json.append("]")
        return json.take()
    }

    private static func append(_ status: ServiceStatus, to json: inout JSONText) {
        json.append("{\"name\":")
        json.appendQuoted(status.name)
        json.append(",\"state\":")
        json.appendQuoted(status.state.rawValue)
        json.append(",\"health\":")
        json.appendQuoted(status.health.rawValue)
        json.append(",\"pid\":")
        if let pid = status.pid { json.append(Int(pid)) } else { json.append("null" as StaticString) }
        json.append(",\"restarts\":")
        json.append(status.restarts)
        json.append(",\"started_at\":")
        if let start = status.startedAt {
            json.appendQuoted(TimeText.string(milliseconds: start.milliseconds))
        } else {
            json.append("null" as StaticString)
        }
        json.append(",\"ports\":[")
        for (index, port) in status.ports.enumerated() { json.append(index > 0 ? ",\"\(port)\"" : "\"\(port)\"") }
        json.append("],\"replicas\":")
        json.append(status.replicas)
        if let code = status.exitCode {
            json.append(",\"exit_code\":")
            json.append(code)
        }
        if let message = status.message {
            json.append(",\"message\":")
            json.appendQuoted(message)
        }
        json.append("}")
    }
}
