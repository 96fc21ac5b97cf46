import ConfigurationFile
import ServiceNames
import Supervisor
import TSDB
import Testing

@testable import ComposeFile

private let places = StackPlaces(
    executable: "/bin/minprom", demoExecutable: "/bin/minprom-demo", state: "/project/.minprom",
    socket: "/project/.minprom/supervisor.sock",
    postgresPrograms: "/pg/bin", clusters: "/project/.minprom/data", environment: [("PATH", "/usr/bin")])

private func plan(
    _ text: String, offset: Int = 0, taken: Set<Int> = [], secrets: [String: String] = [:], postgres: String? = nil
) throws -> LaunchPlan {
    var next = 50_000
    return try LaunchPlan(
        try compose(text), places, secretFiles: secrets, offset: offset,
        external: postgres.flatMap { ExternalPostgres($0) },
        isFree: { !taken.contains($0) },
        anyFree: {
            next += 1
            return next
        })
}

private func names(_ launch: Launch?) -> ServiceNames {
    let prefix = ServiceNames.variable + "="
    return ServiceNames(
        launch?.environment.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) } ?? "")
}

private let stack = """
    services:
      postgres_db:
        image: postgres:17
        command: [postgres, -c, shared_buffers=32MB]
        environment: {POSTGRES_USER: demo, POSTGRES_PASSWORD_FILE: /run/secrets/pw}
        volumes: [pg:/var/lib/postgresql/data, ./init.sql:/docker-entrypoint-initdb.d/init.sql:ro]
        secrets: [pw]
        networks: [back]
        healthcheck: {test: [CMD-SHELL, pg_isready -U demo]}
      api:
        image: registry/minprom-demo:1@sha256:abc
        container_name: flask_api
        command: [api]
        environment: {PGHOST: postgres_db, PGPASSWORD_FILE: /run/secrets/pw, HOST_ONLY: }
        secrets: [pw]
        ports: ["8000:8000"]
        networks: [back, front]
        healthcheck: {test: [CMD, /usr/local/bin/minprom-demo, health, "http://localhost:8000/-/healthy"]}
      minprom:
        build: {context: ., target: minprom}
        command: [--config.file=/etc/prometheus/prometheus.yml, --storage.tsdb.path=/data, --alertmanager.config.file=/etc/a.yml,
          "--exporter.host.web.listen-address=:9100"]
        volumes: [./prometheus:/etc/prometheus, "tsdb:/data", "tokens:/minprom/secrets/bot"]
        networks: {front: {aliases: [prometheus, node_exporter]}}
        labels: {minprom.supervisor: "true"}
        ports: ["127.0.0.1:9090:9090"]
    volumes: {pg: {}, tsdb: {}, tokens: {}}
    networks: {front: {}, back: {}}
    secrets: {pw: {file: ./secrets/pw}}
    """

@Suite("From services to processes")
struct LaunchPlanTests {
    @Test("images become programs, entry points lose the program's own name")
    func programs() throws {
        let plan = try plan(stack)
        #expect(plan.program(of: "postgres_db") == .postgres)
        #expect(plan.program(of: "api") == .demo)
        #expect(plan.program(of: "minprom") == .own)
        let api = plan.launch(InstanceID("api")) { nil }
        #expect(api?.program == "/bin/minprom-demo")
        #expect(api?.arguments == ["api"])
        #expect(api?.directory == "/project")
        let named = try self.plan(
            "services: {a: {image: minprom, entrypoint: [/usr/local/bin/minprom-demo], command: [worker]}}")
        #expect(named.program(of: "a") == .demo)
        #expect(named.launch(InstanceID("a")) { nil }?.arguments == ["worker"])
    }

    private func plan(_ text: String) throws -> LaunchPlan { try SupervisorTests.plan(text) }

    @Test("an image without a program here is refused with its place")
    func unknownImage() {
        let error = #expect(throws: ConfigError.self) { try plan("services:\n  g:\n    image: grafana/grafana\n") }
        #expect(
            error?.description.hasPrefix(
                "compose.yml:2: g has image \"grafana/grafana\", for which there is no program here") == true)
    }

    @Test("ports: published and known ones keep their numbers; names lead there, on shared networks only")
    func ports() throws {
        let plan = try plan(stack)
        let api = names(plan.launch(InstanceID("api")) { nil })
        #expect(api.connecting(to: "postgres_db", 5432) == .init("127.0.0.1", 5432))
        #expect(api.connecting(to: "prometheus", 9090) == .init("127.0.0.1", 9090))
        #expect(api.connecting(to: "node_exporter", 9100) == .init("127.0.0.1", 9100))
        #expect(api.connecting(to: "minprom", 9093) == .init("127.0.0.1", 9093))
        #expect(api.listening(on: "0.0.0.0", 8000) == .init("127.0.0.1", 8000))
        let minprom = names(plan.launch(InstanceID("minprom")) { nil })
        #expect(minprom.connecting(to: "flask_api", 8000) == .init("127.0.0.1", 8000))
        #expect(minprom.connecting(to: "postgres_db", 5432) == .init("postgres_db", 5432))
    }

    @Test("an offset moves all ports, the own ones under localhost, too")
    func offset() throws {
        let plan = try SupervisorTests.plan(stack, offset: 10_000)
        let launch = plan.launch(InstanceID("api")) { nil }
        #expect(names(launch).connecting(to: "postgres_db", 5432) == .init("127.0.0.1", 15432))
        #expect(names(launch).connecting(to: "localhost", 8000) == .init("127.0.0.1", 18000))
        #expect(names(launch).listening(on: "0.0.0.0", 8000) == .init("127.0.0.1", 18000))
        #expect(
            launch?.probe
                == .http([.init(host: "127.0.0.1", port: 18000, hostHeader: "localhost:8000", path: "/-/healthy")]))
    }

    @Test("a published port that is taken is refused; an unpublished one moves away")
    func takenPorts() throws {
        let error = #expect(throws: ConfigError.self) { try SupervisorTests.plan(stack, taken: [8000]) }
        #expect(
            error?.message == "api publishes port 8000, where another process listens; --port-offset N moves all ports")
        let plan = try SupervisorTests.plan(stack, taken: [9100])
        #expect(
            names(plan.launch(InstanceID("api")) { nil }).connecting(to: "node_exporter", 9100)
                == .init("127.0.0.1", 50_001))
        let twice = "services: {a: {image: minprom, ports: ['80:9090']}, b: {image: minprom, ports: ['80:9090']}}"
        #expect(throws: ConfigError.self) { try SupervisorTests.plan(twice) }
    }

    @Test("a second process of a service listens elsewhere")
    func replicas() throws {
        let plan = try plan(stack)
        let second = names(plan.launch(InstanceID("api", 2)) { 40_001 })
        #expect(second.listening(on: "0.0.0.0", 8000) == .init("127.0.0.1", 40_001))
    }

    @Test(
        "container paths are host paths in commands and variables; what our images have below /minprom lies beside the file"
    )
    func paths() throws {
        let plan = try SupervisorTests.plan(stack, secrets: ["pw": "/project/secrets/pw"])
        let minprom = plan.launch(InstanceID("minprom")) { nil }
        #expect(
            minprom?.arguments == [
                "--config.file=/project/prometheus/prometheus.yml",
                "--storage.tsdb.path=/project/.minprom/volumes/tsdb",
                "--alertmanager.config.file=/etc/a.yml", "--exporter.host.web.listen-address=:9100",
            ])
        #expect(plan.volume("tokens") == "/project/secrets/bot")
        #expect(
            plan.launch(InstanceID("api")) { nil }?.environment.contains("PGPASSWORD_FILE=/project/secrets/pw") == true)
    }

    @Test("the supervisor's socket goes to those that ask for it")
    func socket() throws {
        let plan = try plan(stack)
        #expect(
            plan.launch(InstanceID("minprom")) { nil }?.environment.contains(
                "SUPERVISOR_SOCKET=/project/.minprom/supervisor.sock") == true)
        #expect(
            plan.launch(InstanceID("api")) { nil }?.environment.contains { $0.hasPrefix("SUPERVISOR_SOCKET") } == false)
    }

    @Test("PostgreSQL is a cluster of our own, with its port, user, scripts and a fast stop")
    func cluster() throws {
        let plan = try SupervisorTests.plan(stack, offset: 1, secrets: ["pw": "/project/secrets/pw"])
        let launch = try #require(plan.launch(InstanceID("postgres_db")) { nil })
        #expect(
            launch.arguments == [
                "postgres-cluster", "--programs", "/pg/bin", "--data", "/project/.minprom/data/postgres_db",
                "--sockets",
                "/project/.minprom/data/run", "--port", "5433", "--user", "demo", "--database", "demo",
                "--password-file", "/project/secrets/pw",
                "--init", "/project/init.sql", "--", "-c", "shared_buffers=32MB",
            ])
        #expect(launch.stopSignal == "SIGINT")
        #expect(launch.probe == .command(["/bin/sh", "-c", "pg_isready -U demo"]))
        #expect(launch.environment.contains("PGPORT=5433"))
    }

    @Test("a server that is there already stands in for the cluster")
    func external() throws {
        let plan = try SupervisorTests.plan(stack, postgres: "postgres://me:se:cret@db.example:6000/shop")
        #expect(plan.isExternal("postgres_db"))
        let launch = plan.launch(InstanceID("api")) { nil }
        #expect(names(launch).connecting(to: "postgres_db", 5432) == .init("db.example", 6000))
        for variable in ["PGUSER=me", "PGPASSWORD=se:cret", "PGDATABASE=shop"] {
            #expect(launch?.environment.contains(variable) == true)
        }
        #expect(launch?.environment.contains { $0.hasPrefix("PGPASSWORD_FILE") } == false)
        #expect(ExternalPostgres("mysql://x/y") == nil)
        #expect(ExternalPostgres("postgres://h:99999/y") == nil)
    }

    @Test("health by curl, wget and our own programs needs no process; several pages count together")
    func probes() throws {
        let plan = try plan(
            """
            services:
              a: {image: minprom, healthcheck: {test: [CMD, minprom, health, "http://a:9090/-/ready", "http://x:9093/y?z=1"]}}
              b: {image: minprom, healthcheck: {test: [CMD, curl, -f, "http://localhost:9090"]}}
              c: {image: minprom, healthcheck: {test: [CMD, check, "/etc/x"]}}
            """)
        #expect(
            plan.launch(InstanceID("a")) { nil }?.probe
                == .http([
                    .init(host: "127.0.0.1", port: 9090, hostHeader: "a:9090", path: "/-/ready"),
                    .init(host: "x", port: 9093, hostHeader: "x:9093", path: "/y?z=1"),
                ]))
        #expect(
            plan.launch(InstanceID("b")) { nil }?.probe
                == .http([.init(host: "127.0.0.1", port: 50_001, hostHeader: "localhost:9090", path: "/")]))
        #expect(plan.launch(InstanceID("c")) { nil }?.probe == .command(["check", "/etc/x"]))
    }
}

@Suite("Path mapping")
struct PathMappingTests {
    @Test(
        "the longest mount that covers a path counts; URLs and other paths stay",
        arguments: [
            ("--f=/etc/prom/a.yml", "--f=/host/prom/a.yml"), ("/etc/prom", "/host/prom"),
            ("/etc/prometheus", "/etc/prometheus"),
            ("/etc/prom/rules/x", "/rules/x"), ("a:/data,/etc/prom/b c", "a:/volumes/d,/host/prom/b c"),
            ("'/data/x'", "'/volumes/d/x'"),
            ("http://data/x", "http://data/x"), ("http://h:1/data", "http://h:1/data"), ("x/data", "x/data"), ("", ""),
            ("/", "/"),
            ("unix:/data/s.sock:/other", "unix:/volumes/d/s.sock:/other"),
        ])
    func rewrite(text: String, expected: String) {
        let mapping = PathMapping([
            .init("/etc/prom", "/host/prom"), .init("/etc/prom/rules/", "/rules"), .init("/data", "/volumes/d"),
            .init("/", "/no"),
        ])
        #expect(mapping.rewrite(text) == expected)
    }
}

@Suite("Secrets that nobody gave")
struct GeneratedSecretsTests {
    @Test("missing files are made in our places only; variables become files")
    func secrets() throws {
        let project = try compose(
            """
            services: {a: {image: minprom, secrets: [there, missing, elsewhere, set, unset]}}
            secrets:
              there: {file: ./secrets/there}
              missing: {file: ./secrets/missing}
              elsewhere: {file: ./other/file}
              set: {environment: SET}
              unset: {environment: UNSET}
              unused: {file: ./secrets/unused}
            """)
        let secrets = GeneratedSecrets(project, state: "/project/.minprom", environment: ["SET": "value"]) {
            $0 == "/project/secrets/there"
        }
        #expect(
            secrets.missing.map(\.file) == [
                "/project/secrets/missing", "/project/.minprom/secrets/set", "/project/.minprom/secrets/unset",
            ])
        #expect(secrets.missing.map(\.content) == [.random, .text("value"), .random])
        #expect(secrets.refused.map(\.name) == ["elsewhere"])
        #expect(secrets.files["there"] == "/project/secrets/there")
    }
}
