import Postgres

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A PostgreSQL of the tests' own: a cluster in a temporary directory that listens on a socket there and nowhere else. A shell beside
/// it waits for the end of the tests' process, however that comes, and stops and deletes it.
///
/// `initdb` and the server refuse to run as root; then they run as the user `postgres` that packages make.
public final class PrivateCluster: Sendable {
    private let directory: String

    /// Why there can be none; `nil` where there can.
    public static let missing: String? = {
        shell("test -n \"$(\(findPrograms))\"") == 0 ? nil : "initdb is not installed"
    }()

    private static let findPrograms = """
        for d in $(dirname "$(command -v pg_ctl 2>/dev/null)") /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin; do \
        [ -x "$d/initdb" ] && [ -x "$d/postgres" ] && echo "$d" && break; done
        """

    public init() throws {
        var template = Array("/tmp/minprom-pg-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw PostgresError(.refused, "no temporary directory") }
        directory = String(cString: path)
        let status = Self.shell(
            """
            set -e; BIN=$(\(Self.findPrograms)); D=\(directory)
            as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi; }
            if [ "$(id -u)" = 0 ]; then chown postgres: $D; fi
            cd $D; as $BIN/initdb -D $D/data -U demo --auth=trust --no-sync -E UTF8 --locale=C >/dev/null 2>&1
            as $BIN/pg_ctl -D $D/data -w -l $D/log -o "-c listen_addresses='' -c unix_socket_directories=$D -c fsync=off" start >/dev/null
            ( while kill -0 \(getpid()) 2>/dev/null; do sleep 1; done
              as $BIN/pg_ctl -D $D/data -m immediate stop; cd /; rm -rf $D ) >/dev/null 2>&1 </dev/null &
            """)
        guard status == 0 else { throw PostgresError(.refused, "the cluster in \(directory) did not start") }
    }

    public var settings: PostgresSettings {
        var settings = PostgresSettings()
        settings.host = directory
        settings.database = "postgres"
        return settings
    }

    private static func shell(_ script: String) -> Int32 {
        var child = pid_t()
        // `system(3)` is not offered by every C library's Swift module; this is all it does.
        return script.withCString { text in
            "/bin/sh".withCString { program in
                "-c".withCString { flag in
                    var arguments: [UnsafeMutablePointer<CChar>?] = [
                        UnsafeMutablePointer(mutating: program), UnsafeMutablePointer(mutating: flag), UnsafeMutablePointer(mutating: text), nil,
                    ]
                    guard posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ) == 0 else { return -1 }
                    var status: Int32 = 0
                    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
                    return status
                }
            }
        }
    }
}
