import CSpawn
import ComposeFile
import Supervisor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A private PostgreSQL cluster, made at its first start: what the image's entry point does, for a process of this machine.
///
///     no PG_VERSION ─▶ initdb (scram, our user) ─▶ server without network ─▶ createdb, init scripts ─▶ stop ─▶ done
///     PG_VERSION    ─▶ exec postgres: our process becomes the server
///
/// As root it becomes the user `postgres` first, for PostgreSQL refuses root. A preparation that broke off is begun anew: the directory
/// gets its name when it is done.
public struct PostgresCluster: Sendable {
    public var programs: String
    public var data: String
    public var sockets: String
    public var port: Int
    public var user: String
    public var database: String
    public var passwordFile: String?
    /// Any host may connect without a password (`POSTGRES_HOST_AUTH_METHOD=trust`).
    public var isTrusting: Bool
    /// Files or directories of `.sql` and `.sh`, run once.
    public var scripts: [String]
    /// `-c shared_buffers=32MB` …
    public var arguments: [String]

    public init(
        programs: String, data: String, sockets: String, port: Int, user: String, database: String,
        passwordFile: String?, isTrusting: Bool,
        scripts: [String], arguments: [String]
    ) {
        self.programs = programs
        self.data = data
        self.sockets = sockets
        self.port = port
        self.user = user
        self.database = database
        self.passwordFile = passwordFile
        self.isTrusting = isTrusting
        self.scripts = scripts
        self.arguments = arguments
    }

    /// Does not return where all goes well.
    public func run() throws(HostError) {
        guard !programs.isEmpty else { throw HostError(LocalMachine.howToInstallPostgres) }
        // What the other user may not be able to read is read before we become it.
        var password: String?
        if let passwordFile {
            guard let bytes = StateDirectory.read(passwordFile, limit: 64 << 10) else {
                throw HostError("\(passwordFile) cannot be read")
            }
            password = String(decoding: bytes.prefix { $0 != 10 && $0 != 13 }, as: UTF8.self)
            if password?.isEmpty != false { throw HostError("\(passwordFile) is empty") }
        } else if let value = getenv("POSTGRES_PASSWORD"), value.pointee != 0 {
            password = String(cString: value)
        }
        guard password != nil || isTrusting else {
            throw HostError(
                "POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE is not set (or POSTGRES_HOST_AUTH_METHOD: trust)")
        }
        let scripts = try readScripts()
        for directory in [data, sockets] {
            try StateDirectory.makeDirectory(FilePath.directory(of: directory), mode: 0o711)
            try StateDirectory.makeDirectory(directory, mode: 0o700)
        }
        try becomePostgres(owning: [data, sockets])
        let cluster = data + "/cluster"
        if !StateDirectory.exists(cluster + "/PG_VERSION") {
            try prepare(password, scripts)
            guard rename(data + "/new", cluster) == 0 else { throw .system(cluster) }
        }
        let options = [
            "-D", cluster, "-c", "listen_addresses=127.0.0.1", "-c", "port=\(port)", "-c",
            "unix_socket_directories=\(sockets)", "-c",
            "logging_collector=off",
        ]
        let words = [programs + "/postgres"] + options + arguments
        var pointers = words.map { strdup($0) } + [nil]
        execv(words[0], &pointers)
        throw .system(words[0])
    }

    // MARK: The user

    private func becomePostgres(owning directories: [String]) throws(HostError) {
        guard getuid() == 0 else { return }
        guard let entry = getpwnam("postgres") else {
            throw HostError("PostgreSQL does not run as root, and there is no user \"postgres\" here")
        }
        let (uid, gid) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
        for directory in directories { chown(directory, uid, gid) }
        #if canImport(Darwin)
            let group = Int32(bitPattern: gid)
        #else
            let group = gid
        #endif
        guard initgroups("postgres", group) == 0, setgid(gid) == 0, setuid(uid) == 0 else {
            throw .system("cannot become \"postgres\"")
        }
        // The change made the system forget it.
        let parent = getppid()
        _ = cspawn_die_with_parent(SIGQUIT)
        if getppid() != parent || parent == 1 { _exit(127) }
        setenv("HOME", data, 1)
        setenv("USER", "postgres", 1)
        _ = chdir(data)
    }

    // MARK: The first start

    private struct Script {
        var name: String
        var text: [UInt8]
        var isSQL: Bool
    }

    private func readScripts() throws(HostError) -> [Script] {
        var files: [String] = []
        for path in scripts {
            files +=
                StateDirectory.isDirectory(path) ? StateDirectory.entries(of: path).map { path + "/" + $0 } : [path]
        }
        var result: [Script] = []
        for file in files where file.hasSuffix(".sql") || file.hasSuffix(".sh") {
            guard let text = StateDirectory.read(file) else { throw HostError("\(file) cannot be read") }
            result.append(Script(name: FilePath.lastComponent(file), text: text, isSQL: file.hasSuffix(".sql")))
        }
        return result
    }

    private func prepare(_ password: String?, _ scripts: [Script]) throws(HostError) {
        let new = data + "/new", inner = data + "/init"
        _ = try? tool("/bin/rm", ["-rf", new, inner])
        try StateDirectory.makeDirectory(inner, mode: 0o700)
        var options = [
            "-D", new, "-U", user, "--encoding=UTF8", "--locale=C.UTF-8", "--auth-local=trust",
            "--auth-host=" + (isTrusting ? "trust" : "scram-sha-256"),
        ]
        let passwordCopy = inner + "/password"
        if let password {
            try StateDirectory.write(passwordCopy, password + "\n")
            options.append("--pwfile=" + passwordCopy)
        }
        defer { unlink(passwordCopy) }
        #if os(macOS)
            options.removeAll { $0 == "--locale=C.UTF-8" }
        #endif
        try tool(programs + "/initdb", options)
        // No network yet, and a socket of its own: nobody takes the half-made database for the real one.
        try tool(
            programs + "/pg_ctl",
            [
                "-D", new, "-w", "-t", "60", "-o",
                "-c listen_addresses='' -c port=\(port) -c unix_socket_directories='\(inner)'", "start",
            ])
        do throws(HostError) {
            let connection = ["-h", inner, "-p", String(port), "-U", user]
            if database != "postgres" { try tool(programs + "/createdb", connection + ["-O", user, database]) }
            for (index, script) in scripts.enumerated() {
                let copy = inner + "/\(index)-\(script.name)"
                try StateDirectory.write(copy, String(decoding: script.text, as: UTF8.self))
                // Not by `print`: what it holds back would be lost when we become the server.
                [UInt8]("minprom: running \(script.name)\n".utf8).withUnsafeBytes {
                    _ = writeAll($0, to: STDOUT_FILENO)
                }
                if script.isSQL {
                    try tool(
                        programs + "/psql",
                        connection + ["-d", database, "-v", "ON_ERROR_STOP=1", "-q", "--no-psqlrc", "-f", copy])
                } else {
                    setenv("PGHOST", inner, 1)
                    setenv("PGUSER", user, 1)
                    setenv("PGDATABASE", database, 1)
                    try tool("/bin/sh", ["-e", copy])
                    setenv("PGHOST", sockets, 1)
                }
            }
        } catch {
            _ = try? tool(programs + "/pg_ctl", ["-D", new, "-w", "-m", "immediate", "stop"])
            throw error
        }
        try tool(programs + "/pg_ctl", ["-D", new, "-w", "-m", "fast", "stop"])
        _ = try? tool("/bin/rm", ["-rf", inner])
    }

    /// Runs a program to its end, its output with ours.
    private func tool(_ program: String, _ arguments: [String]) throws(HostError) {
        var environment: [String] = []
        for name in [
            "PATH", "HOME", "LANG", "TZ", "PGHOST", "PGUSER", "PGDATABASE", "POSTGRES_USER", "POSTGRES_DB", "USER",
        ] {
            if let value = getenv(name) { environment.append("\(name)=\(String(cString: value))") }
        }
        let launch = Launch(
            program: program, arguments: arguments, environment: environment, directory: data, stopSignal: "SIGTERM",
            deathSignal: "SIGKILL",
            probe: nil, probeTimeout: .zero)
        let name = FilePath.lastComponent(program)
        let pid = try ChildProcess.spawn(launch, output: STDOUT_FILENO, deathSignal: SIGKILL, isSession: false)
        // Not its group: pg_ctl leaves a server behind.
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else { throw HostError("\(name) failed; what it said stands above") }
    }
}
