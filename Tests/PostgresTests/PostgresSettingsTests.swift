import Postgres
import ServiceNames
import Testing

@Suite("Where the database is")
struct PostgresSettingsTests {
    private func settings(_ variables: [String: String], files: [String: String] = [:]) throws -> PostgresSettings {
        try PostgresSettings(environment: { variables[$0] }, contentsOf: { files[$0] })
    }

    @Test("nothing set: the database of the stack")
    func defaults() throws {
        let settings = try settings([:])
        #expect(settings.host == "postgres_db" && settings.port == 5432 && settings.user == "demo" && settings.password == nil)
        #expect(settings.statementTimeout == .seconds(5))
    }

    @Test("the password is the first line of the file, or the variable where there is one")
    func password() throws {
        let files = ["/run/secrets/db": "s3cret\n"]
        #expect(try settings(["PGPASSWORD_FILE": "/run/secrets/db"], files: files).password == "s3cret")
        #expect(try settings(["PGPASSWORD_FILE": "/run/secrets/db", "PGPASSWORD": "x"], files: files).password == "x")
        #expect(throws: PostgresError.self) { try settings(["PGPASSWORD_FILE": "/nowhere"]) }
    }

    @Test("numbers outside their range are refused by name", arguments: ["0", "65536", "x", "-1"])
    func numbers(port: String) {
        #expect { try settings(["PGPORT": port]) } throws: { "\($0)".contains("PGPORT") }
    }

    @Test("where a service has another place, its name stays and the address is put beside it")
    func serviceNames() throws {
        let names = ServiceNames("postgres_db:5432=127.0.0.1:21032")
        let keywords = try settings([:]).keywords(names)
        func value(_ name: String) -> String? { keywords.first { $0.name == name }?.value }
        #expect(value("host") == "postgres_db" && value("hostaddr") == "127.0.0.1" && value("port") == "21032")
        let plain = try settings(["PGHOST": "/run/postgresql"]).keywords(names)
        #expect(plain.contains { $0 == ("host", "/run/postgresql") } && !plain.contains { $0.name == "hostaddr" })
    }
}
