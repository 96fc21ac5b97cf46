import ConfigurationFile
import Testing

@testable import ComposeFile

/// Files by name, as the reader asks for them.
func compose(
    _ text: String, _ files: [String: String] = [:], environment: [String: String] = [:]
) throws(ConfigError) -> ComposeProject {
    var all = files
    all["compose.yml"] = text
    let contents = all
    return try ComposeReader(environment: environment) { path in
        contents[path.hasPrefix("/project/") ? String(path.dropFirst(9)) : path].map { Array($0.utf8) }
    }.read(["/project/compose.yml"])
}

func refusal(_ text: String, _ files: [String: String] = [:], environment: [String: String] = [:]) -> String {
    do throws(ConfigError) {
        _ = try compose(text, files, environment: environment)
        return "accepted"
    } catch { return error.description }
}

@Suite("Compose files")
struct ComposeReaderTests {
    @Test("a service has what the file says")
    func service() throws {
        let project = try compose(
            """
            services:
              db:
                image: postgres:17
                healthcheck: {test: [CMD, pg_isready], interval: 1s, timeout: 500ms, retries: 7, start_period: 1m30s}
              api:
                image: minprom-demo
                container_name: flask_api
                command: api --web.listen-address=":8000" 'two words'
                environment: [A=1, "B=x=y", C]
                ports: ["8000:8000", "127.0.0.1:9000:8001/tcp", "8002"]
                volumes: [./conf:/etc/conf:ro, data:/data, /scratch]
                depends_on: {db: {condition: service_healthy}}
                restart: on-failure:3
                networks: {front: {aliases: [web]}, back: }
                secrets: [token]
                deploy: {replicas: 2}
                stop_grace_period: 3s
            volumes: {data: {}}
            networks: {front: {}, back: {}}
            secrets: {token: {file: ./secrets/token}}
            """)
        #expect(project.name == "project")
        let api = try #require(project.service("api"))
        #expect(api.containerName == "flask_api")
        #expect(api.command == ["api", "--web.listen-address=:8000", "two words"])
        #expect(
            api.environment == [
                .init(name: "A", value: "1"), .init(name: "B", value: "x=y"), .init(name: "C", value: nil),
            ])
        #expect(
            api.ports == [
                .init(host: "", published: 8000, target: 8000), .init(host: "127.0.0.1", published: 9000, target: 8001),
                .init(host: "", published: nil, target: 8002),
            ])
        #expect(
            api.mounts == [
                .init(source: .path("/project/conf"), target: "/etc/conf"),
                .init(source: .volume("data"), target: "/data"),
                .init(source: .temporary, target: "/scratch"),
            ])
        #expect(api.dependsOn == [.init(service: "db", condition: .healthy)])
        #expect(api.restart == .onFailure(limit: 3))
        #expect(api.networks == [.init(name: "front", aliases: ["web"]), .init(name: "back", aliases: [])])
        #expect(api.secrets == [.init(source: "token", target: "/run/secrets/token")])
        #expect(project.secrets == [.init(name: "token", source: .file("/project/secrets/token"))])
        #expect(api.replicas == 2)
        #expect(api.stopGrace == .seconds(3))
        let health = try #require(project.service("db")?.health)
        #expect(health.test == .command(["pg_isready"]))
        #expect((health.interval, health.timeout, health.retries) == (.seconds(1), .milliseconds(500), 7))
        #expect(health.startPeriod == .seconds(90))
    }

    @Test("anchors, merge keys and x- fields work; what is written in the service wins")
    func anchors() throws {
        let project = try compose(
            """
            x-health: &health {interval: 5s, retries: 3}
            x-ours: &ours {restart: always, image: minprom}
            services:
              a:
                <<: *ours
                restart: "no"
                x-note: nobody reads it
                healthcheck: {<<: *health, test: "exit 0", retries: 9}
            """)
        let service = try #require(project.service("a"))
        #expect(service.restart == .never)
        #expect(service.image == "minprom")
        #expect(service.health?.retries == 9)
        #expect(service.health?.interval == .seconds(5))
        #expect(service.health?.test == .shell("exit 0"))
    }

    @Test(
        "variables",
        arguments: [
            ("${SET}", "here"), ("$SET!", "here!"), ("${UNSET:-d}", "d"), ("${EMPTY:-d}", "d"), ("${EMPTY-d}", ""),
            ("${SET:+x}", "x"),
            ("${EMPTY:+x}", ""), ("$$SET", "$SET"), ("${UNSET:-${SET}/${EMPTY:-b}}", "here/b"), ("a${UNSET}b", "ab"),
            ("${SET:?why}", "here"),
        ])
    func variables(text: String, expected: String) throws {
        let project = try compose(
            "services: {a: {image: 'x\(text)'}}", environment: ["SET": "here", "EMPTY": ""])
        #expect(project.service("a")?.image == "x" + expected)
    }

    @Test(".env is read, and our own environment comes before it; an env_file comes before neither")
    func variableFiles() throws {
        let files = [
            ".env": "# comment\nA=file\nexport B=\"two\\nlines\"  # more\nC=x # y\n", "more.env": "D=1\nE=2\n",
        ]
        let project = try compose(
            "services: {a: {image: '$A-$C', env_file: more.env, environment: {E: own, F: '$B'}}}", files,
            environment: ["A": "own"])
        let service = try #require(project.service("a"))
        #expect(service.image == "own-x")
        #expect(
            service.environment == [
                .init(name: "D", value: "1"), .init(name: "E", value: "own"), .init(name: "F", value: "two\nlines"),
            ])
    }

    @Test("extends lays a service over another's, of another file in another folder, too")
    func extends() throws {
        let project = try compose(
            """
            services:
              a:
                extends: {file: shared/base.yml, service: base}
                environment: {B: 3}
                networks: [more]
                command: [new]
            networks: {more: {}, first: {}}
            """,
            [
                "shared/base.yml": """
                services:
                  root: {restart: always, networks: [first]}
                  base:
                    extends: root
                    image: minprom
                    environment: [A=1, B=2]
                    command: [old, words]
                    volumes: [./conf:/conf]
                """
            ])
        let service = try #require(project.service("a"))
        #expect(service.restart == .always)
        #expect(service.environment == [.init(name: "A", value: "1"), .init(name: "B", value: "3")])
        #expect(service.command == ["new"])
        #expect(service.networks.map(\.name) == ["first", "more"])
        #expect(service.mounts == [.init(source: .path("/project/shared/conf"), target: "/conf")])
    }

    @Test("include brings the services of another file")
    func include() throws {
        let project = try compose(
            "include: [other.yml]\nservices: {a: {image: minprom, depends_on: [b]}}",
            ["other.yml": "services: {b: {image: minprom}}"])
        #expect(project.services.map(\.name).sorted() == ["a", "b"])
    }

    @Test("fields without effect on a process are listed, not refused")
    func ignored() throws {
        let project = try compose("services:\n  a:\n    image: minprom\n    read_only: true\n    mem_limit: 64m\n")
        #expect(project.ignored == ["compose.yml:4: read_only of a", "compose.yml:5: mem_limit of a"])
    }

    @Test(
        "what cannot be read or done is refused with file and line",
        arguments: [
            ("services:\n  a:\n    imag: x\n", "compose.yml:3: field imag not found in service a"),
            ("services:\n  a:\n    devices: [x]\n", "compose.yml:3: devices of a cannot be had without containers"),
            (
                "services:\n  a:\n    network_mode: service:b\n",
                "compose.yml:3: network_mode of a cannot be had without containers"
            ),
            (
                "services:\n  a:\n    image: ${X:?set it}\n",
                "compose.yml:3: required variable X is missing a value: set it"
            ),
            ("services:\n  a:\n    image: ${X\n", "compose.yml:3: invalid interpolation: ${X is not closed"),
            (
                "services:\n  a:\n    image: a$ b\n",
                "compose.yml:3: invalid interpolation: a $ that begins no variable is written $$"
            ),
            (
                "services:\n  a:\n    ports: ['1-5:1-5']\n",
                "compose.yml:3: \"1-5\" is not a port from 1 to 65535; ranges are not supported"
            ),
            (
                "services:\n  a:\n    ports: ['99999']\n",
                "compose.yml:3: \"99999\" is not a port from 1 to 65535; ranges are not supported"
            ),
            ("services:\n  a:\n    depends_on: [b]\n", "compose.yml:2: a depends on \"b\", which is no service"),
            ("services:\n  a:\n    volumes: [v:/v]\n", "compose.yml:2: a uses volume \"v\", which is not declared"),
            ("services:\n  a:\n    networks: [n]\n", "compose.yml:2: a is on network \"n\", which is not declared"),
            ("services:\n  a:\n    secrets: [s]\n", "compose.yml:2: a uses secret \"s\", which is not declared"),
            (
                "services:\n  a: {depends_on: [b]}\n  b: {depends_on: [a]}\n",
                "compose.yml: depends_on runs in a circle: a, b"
            ),
            (
                "services:\n  a:\n    depends_on: {b: {condition: service_healthy}}\n  b: {image: x}\n",
                "compose.yml:2: a waits for b to be healthy, which has no healthcheck"
            ),
            ("services:\n  a:\n    restart: sometimes\n", "compose.yml:3: restart: there is no policy \"sometimes\""),
            (
                "services:\n  a:\n    healthcheck: {interval: soon, test: x}\n",
                "compose.yml:3: interval: \"soon\" is not a duration such as 1m30s"
            ),
            ("services:\n  a:\n    command: \"'open\"\n", "compose.yml:3: command: a quote is not closed"),
            (
                "services:\n  a:\n    extends: {service: b}\n",
                "compose.yml:3: extends: there is no service \"b\" in compose.yml"
            ),
            ("services: {}\n", "compose.yml: there are no services"),
            ("services:\n  a: [\n", "compose.yml:3: yaml: did not find expected node content"),
        ])
    func refused(text: String, message: String) { #expect(refusal(text) == message) }

    @Test("extends that runs in a circle, and defaults nested without end, are refused")
    func circles() {
        #expect(refusal("services: {a: {extends: {service: b}}, b: {extends: {service: a}}}").contains("circle"))
        let nested = String(repeating: "${X:-", count: 30) + String(repeating: "}", count: 30)
        #expect(refusal("services: {a: {image: '\(nested)'}}").contains("nested deeper"))
    }
}
