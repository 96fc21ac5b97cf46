import ArgumentParser
import Postgres
import ServiceProcess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the services of this program have in common.
enum Program {
    /// Runs a service; a start that fails is one line and the exit code 1.
    static func run(_ body: () async throws -> Void) async throws {
        do { try await body() } catch let error as StartError {
            throw ExitCode(Console.complain(error.message, program: "minprom-demo"))
        }
    }

    /// Where the database is, as the environment says.
    static func database(_ name: String) throws(StartError) -> PostgresSettings {
        do throws(PostgresError) {
            var settings = try PostgresSettings.ofProcess()
            settings.applicationName = name
            return settings
        } catch { throw StartError(error.message) }
    }

    /// Seconds since the epoch.
    @Sendable
    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
