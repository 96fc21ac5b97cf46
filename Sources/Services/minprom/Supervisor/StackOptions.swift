import ArgumentParser
import ComposeFile
import JSON
import SupervisorHost

/// Which stack is meant: every command about it has these.
struct StackOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .long],
        help: "Compose file; compose-minimal.yml or docker-compose.yml here where left out.")
    var file: [String] = []

    /// Absolute paths.
    func files() throws(StartError) -> [String] { try Self.files(file) }

    static func files(_ file: [String]) throws(StartError) -> [String] {
        let here = LocalMachine.currentDirectory
        if !file.isEmpty { return file.map { FilePath.absolute($0, from: here) } }
        for name in ["compose-minimal.yml", "compose.yml", "compose.yaml", "docker-compose.yml"]
        where StateDirectory.exists("\(here)/\(name)") {
            return ["\(here)/\(name)"]
        }
        throw StartError("there is no compose file here; name one with -f")
    }

    func state() throws(StartError) -> StateDirectory { try Self.state(file) }

    static func state(_ file: [String]) throws(StartError) -> StateDirectory {
        StateDirectory(besides: FilePath.directory(of: try files(file).first ?? ""))
    }

    func client() throws(StartError) -> SupervisorClient { SupervisorClient(try state()) }
}

/// Asks a running supervisor over its socket.
struct SupervisorClient {
    /// One line of `GET /services`.
    struct Service {
        var name: String
        var state: String
        var health: String
        var pid: Int?
        var restarts: Int
        var startedAt: String
        var ports: [String]
        var replicas: Int
        var exitCode: Int?
        var message: String

        var isWell: Bool {
            switch state {
            case "running": return health == "healthy" || health == "none"
            case "exited": return exitCode == 0
            default: return false
            }
        }

        init(_ json: JSONValue) {
            name = json["name"]?.string ?? ""
            state = json["state"]?.string ?? ""
            health = json["health"]?.string ?? ""
            pid = json["pid"]?.number.flatMap { Int(exactly: $0) }
            restarts = json["restarts"]?.number.flatMap { Int(exactly: $0) } ?? 0
            startedAt = json["started_at"]?.string ?? ""
            ports = json["ports"]?.elements.compactMap(\.string) ?? []
            replicas = json["replicas"]?.number.flatMap { Int(exactly: $0) } ?? 0
            exitCode = json["exit_code"]?.number.flatMap { Int(exactly: $0) }
            message = json["message"]?.string ?? ""
        }
    }

    let state: StateDirectory

    init(_ state: StateDirectory) { self.state = state }

    func services() throws(StartError) -> [Service] {
        let answer = try ask("GET", "/services")
        guard let json = try? JSONValue(parsing: String(decoding: answer.body, as: UTF8.self)) else {
            throw StartError("the supervisor answers with something that is no JSON")
        }
        return json.elements.map { Service($0) }
    }

    @discardableResult
    func ask(_ method: String, _ path: String) throws(StartError) -> PlainHTTP.Answer {
        let answer: PlainHTTP.Answer
        do throws(HostError) {
            answer = try PlainHTTP.request(method, path, at: .unixSocket(state.socket), milliseconds: 10_000)
        } catch {
            throw StartError("no supervisor runs in \(state.path) (\(error.message)); `minprom up` starts one")
        }
        guard (200..<300).contains(answer.status) else {
            let text = String(decoding: answer.body, as: UTF8.self)
            throw StartError(
                (try? JSONValue(parsing: text))?["error"]?.string ?? "the supervisor answers \(answer.status): \(text)")
        }
        return answer
    }

    /// A name as part of a path.
    static func escaped(_ name: String) throws(StartError) -> String {
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"/?#%".utf8.contains($0) }) else {
            throw StartError("\"\(name)\" is no service's name")
        }
        return name
    }
}
