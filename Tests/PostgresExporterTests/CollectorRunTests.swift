import DemoSupport
import HTTPServer
import HTTPTypes
import Logging
import Postgres
import Testing

@testable import PostgresExporter

@Suite("Collectors")
struct CollectorRunTests {
    private static let version = Rows(columns: ["number", "text"], cells: [["150018", "PostgreSQL 15.18"]])

    private func run(_ collectors: [Collector], late: Bool = false, _ answer: @escaping ScriptedDatabase.Answer) throws -> String {
        let database = ScriptedDatabase { statement, parameters in
            statement.contains("server_version_num") ? .success(Self.version) : answer(statement, parameters)
        }
        var run = CollectorRun(try database.connect(), server: "db:5432", deadline: late ? .now : .now + .seconds(60))
        try run.begin()
        for collector in collectors { run.collect(collector) }
        run.writeOutcomes()
        return String(decoding: run.page.bytes, as: UTF8.self)
    }

    private func lines(_ page: String, _ prefix: String) -> [String] {
        page.split(separator: "\n").filter { $0.hasPrefix(prefix) }.map(String.init)
    }

    @Test("a row times the families of its statement are the samples")
    func rows() throws {
        let page = try run([.database]) { _, _ in
            .success(Rows(columns: ["datname", "datconnlimit", "size"], cells: [["a\"b", "-1", "7471619"], ["c", "5", nil]]))
        }
        #expect(
            lines(page, "pg_database") == [
                "pg_database_connection_limit{datname=\"a\\\"b\"} -1", "pg_database_connection_limit{datname=\"c\"} 5",
                "pg_database_size_bytes{datname=\"a\\\"b\"} 7.471619e+06",
            ])
        #expect(page.contains("pg_scrape_collector_success{collector=\"database\"} 1\n"))
        #expect(lines(page, "pg_static") == ["pg_static{server=\"db:5432\",short_version=\"15.18.0\",version=\"PostgreSQL 15.18\"} 1"])
    }

    @Test("a row without one of its labels gives nothing, a family without samples is left out whole")
    func missing() throws {
        let page = try run([.roles]) { _, _ in .success(Rows(columns: ["rolname", "rolconnlimit"], cells: [[nil, "3"]])) }
        #expect(!page.contains("pg_roles"))
        #expect(page.contains("pg_scrape_collector_success{collector=\"roles\"} 1\n"))
    }

    @Test("a collector that fails says so and leaves the others alone")
    func failure() throws {
        let page = try run([.roles, .writeAheadLog]) { statement, _ in
            statement.contains("pg_roles")
                ? .failure(PostgresError(.timeout, sqlState: "57014", "canceling statement"))
                : .success(Rows(columns: ["segments", "size"], cells: [["2", "33554432"]]))
        }
        #expect(
            lines(page, "pg_scrape_collector_success") == [
                "pg_scrape_collector_success{collector=\"roles\"} 0", "pg_scrape_collector_success{collector=\"wal\"} 1",
            ])
        #expect(lines(page, "pg_wal_segments") == ["pg_wal_segments 2"])
    }

    @Test("when the time is over the rest is not tried")
    func deadline() throws {
        let page = try run([.roles], late: true) { _, _ in
            Issue.record("a statement was sent")
            return .success(Rows())
        }
        #expect(page.contains("pg_scrape_collector_success{collector=\"roles\"} 0\n"))
    }

    @Test("an extension that is not installed is no failure")
    func noExtension() throws {
        #expect(!(try run([.statements]) { _, _ in .success(Rows()) }).contains("stat_statements"))
    }

    @Test("labels of the oldest families have the server among them, in order")
    func server() throws {
        let page = try run([.conflicts]) { _, _ in
            .success(Rows(columns: ["datid", "datname", "confl_lock"], cells: [["5", "postgres", "3"]]))
        }
        #expect(lines(page, "pg_stat_") == ["pg_stat_database_conflicts_confl_lock{datid=\"5\",datname=\"postgres\",server=\"db:5432\"} 3"])
    }

    @Test("every family of every collector is named once, after its collector's subject")
    func names() {
        let names = (PostgresExporter.all + PostgresExporter.always).flatMap(\.parts).flatMap(\.families).map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.hasPrefix("pg_") })
    }
}

@Suite("Settings as metrics")
struct SettingMetricsTests {
    @Test(
        "units become seconds and bytes",
        arguments: [
            ("16384", "8kB", "pg_settings_x_bytes", 134_217_728.0), ("64", "MB", "pg_settings_x_bytes", 67_108_864),
            ("16", "16MB", "pg_settings_x_bytes", 268_435_456),
            ("200", "ms", "pg_settings_x_seconds", 0.2), ("5", "min", "pg_settings_x_seconds", 300), ("1", "h", "pg_settings_x_seconds", 3600),
            ("-1", "ms", "pg_settings_x_seconds", -1), ("100", "", "pg_settings_x", 100),
        ])
    func units(value: String, unit: String, name: String, wanted: Double) throws {
        let setting = try #require(SettingMetrics.setting("x", value, unit: unit, kind: "integer"))
        #expect(setting.name == name && setting.value == wanted)
    }

    @Test("switches are 0 and 1, and dots in names become underscores")
    func switches() {
        #expect(SettingMetrics.setting("pg_stat_statements.save", "on", unit: "", kind: "bool")?.name == "pg_settings_pg_stat_statements_save")
        #expect(SettingMetrics.setting("x", "on", unit: "", kind: "bool")?.value == 1)
        #expect(SettingMetrics.setting("x", "off", unit: "", kind: "bool")?.value == 0)
    }

    @Test("what cannot be converted is left out")
    func unknown() {
        #expect(SettingMetrics.setting("x", "1", unit: "parsec", kind: "integer") == nil)
        #expect(SettingMetrics.setting("x", "many", unit: "ms", kind: "integer") == nil)
    }
}

@Suite("Where the exporter finds its server")
struct DataSourceTests {
    @Test(
        "addresses are taken apart",
        arguments: [
            ("postgresql://demo:s%40cret@postgres_db:5433/shop?sslmode=disable", "postgres_db", 5433, "demo", "s@cret", "shop"),
            ("postgres://demo@db/shop", "db", 5432, "demo", nil, "shop"), ("db:6000/shop?sslmode=disable", "db", 6000, "demo", nil, "shop"),
            ("postgresql://u:p@[::1]:5433/d", "::1", 5433, "u", "p", "d"), ("postgresql://u:p@h", "h", 5432, "u", "p", "demo"),
        ] as [(String, String, Int, String, String?, String)])
    func addresses(text: String, host: String, port: Int, user: String, password: String?, database: String) throws {
        var settings = PostgresSettings()
        try DataSource.apply(text, to: &settings)
        #expect(settings.host == host && settings.port == port && settings.user == user)
        #expect(settings.password == password && settings.database == database)
    }

    @Test(
        "what is none is refused without showing the password",
        arguments: ["mysql://u:secret@h/d", "postgresql://u:secret@h:x/d", "postgresql://u:secret%zz@h/d"])
    func refused(text: String) {
        var settings = PostgresSettings()
        #expect { try DataSource.apply(text, to: &settings) } throws: { !"\($0)".contains("secret") }
    }
}

@Suite("The exporter's page")
struct PostgresExporterTests {
    private func page(_ database: ScriptedDatabase, path: String = "/metrics") async -> String {
        let exporter = PostgresExporter(
            database.pool(), server: "db:5432", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        guard case .buffer(let buffer) = await exporter.answer(APIRequest(.get, path)).body else { return "" }
        return String(buffer: buffer)
    }

    @Test("a server that is away is pg_up 0, and nothing is said of collectors")
    func away() async {
        let database = ScriptedDatabase()
        database.stop()
        let text = await page(database)
        #expect(text.contains("pg_up 0\n") && text.contains("pg_exporter_last_scrape_error 1\n") && text.contains("pg_exporter_scrapes_total 1\n"))
        #expect(!text.contains("pg_scrape_collector") && !text.contains("pg_static"))
    }

    @Test("a server that answers is pg_up 1")
    func up() async {
        let text = await page(ScriptedDatabase())
        #expect(text.contains("pg_up 1\n") && text.contains("pg_exporter_last_scrape_error 0\n"))
    }
}
