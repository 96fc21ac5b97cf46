import JSON
import NIOHTTP1
import Programs
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Does what a plan says, and takes it back.
///
///     begin ─ step ─ step ─▶ the fault is there ─▶ revert
///               └ fails: what was begun is taken back, and the error is thrown
///
/// Nothing stays behind: requests carry `for_s`, so the service takes the fault back by itself should we be killed; children end with us.
/// A service that was stopped is the exception: the bot starts it, or `revert` does.
public final class IncidentRun: Sendable {
    private let plan: IncidentPlan
    private let addresses: StackAddresses
    private let client: StackClient
    private let token: String?
    private let program: String
    private let children = Mutex<[ChildProgram]>([])

    /// `program` is run for pressure: ourselves.
    public init(
        _ plan: IncidentPlan, _ addresses: StackAddresses, _ client: StackClient, token: String?, program: String = ProgramFile.own
    ) {
        self.plan = plan
        self.addresses = addresses
        self.client = client
        self.token = token
        self.program = program
    }

    public func begin() async throws(IncidentError) {
        for (index, step) in plan.begin.enumerated() {
            do throws(IncidentError) { try await perform(step) } catch {
                if index > 0 { _ = await revert() }
                throw error
            }
        }
    }

    /// Takes the fault back; what could not be done, by step. Nobody there is no complaint: a service that is away has no fault when it comes back.
    public func revert() async -> [String] {
        for child in children.withLock({ children in
            defer { children = [] }
            return children
        }) { child.stop() }
        var problems: [String] = []
        for step in plan.revert {
            do throws(IncidentError) { try await perform(step) } catch {
                if error.code != .connection || Self.mustBeThere(step) { problems.append(error.message) }
            }
        }
        return problems
    }

    private static func mustBeThere(_ step: IncidentPlan.Step) -> Bool {
        switch step {
        case .request(_, .supervisor, _, _), .docker, .killProcess, .press: true
        case .request: false
        }
    }

    /// Whether a child that presses on the machine is at work still; with none, true.
    public var isPressing: Bool { children.withLock { $0.allSatisfy { $0.exitCode == nil } } }

    private func perform(_ step: IncidentPlan.Step) async throws(IncidentError) {
        switch step {
        case .request(let method, let service, let path, let json):
            let base = base(of: service)
            let answer = try await client.send(
                method, base, path, json: json, token: service == .supervisor ? nil : token, timeout: .seconds(30))
            guard (200..<300).contains(answer.status) else {
                let hint = answer.status == 401 || answer.status == 403 ? " (ADMIN_TOKEN or --token-file says who we are)" : ""
                throw IncidentError(.refused, "\(method) \(base)\(path): status \(answer.status): \(Self.shown(answer.text))\(hint)")
            }
        case .killProcess(let name):
            let pid = try await process(of: name)
            guard kill(pid, SIGKILL) == 0 else {
                throw IncidentError(.system, "kill \(pid): \(String(cString: strerror(errno)))")
            }
        case .docker(let arguments):
            guard let docker = ProgramFile.find("docker") else { throw IncidentError(.system, "there is no docker here") }
            let code = await (try ChildProgram(docker, arguments)).wait()
            guard code == 0 else {
                throw IncidentError(.system, "docker \(arguments.joined(separator: " ")): exit code \(code)")
            }
        case .press(let pressure):
            let child = try ChildProgram(program, pressure.arguments)
            children.withLock { $0.append(child) }
        }
    }

    private func base(of service: IncidentPlan.Service) -> String {
        switch service {
        case .api: addresses.api
        case .worker: addresses.worker
        case .proxy: addresses.proxy
        case .supervisor: addresses.supervisor
        }
    }

    /// The process that the supervisor runs under this name.
    private func process(of name: String) async throws(IncidentError) -> pid_t {
        let answer = try await client.send(.GET, addresses.supervisor, "/services/" + name)
        let number = (try? JSONValue(parsing: answer.text))?["pid"]?.number
        // 0 and below mean groups of processes to kill(2), and 1 is not ours.
        guard answer.status == 200, let number, let pid = pid_t(exactly: number), pid > 1 else {
            throw IncidentError(.malformed, "the supervisor knows no process of \(name) (status \(answer.status))")
        }
        return pid
    }

    /// One line, without what could turn a terminal's head.
    static func shown(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(300).map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? " " : $0 }))
    }
}
