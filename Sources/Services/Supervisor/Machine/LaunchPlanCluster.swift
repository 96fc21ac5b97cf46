import ComposeFile

/// A service with an image `postgres`: `minprom postgres-cluster` with what its environment says.
extension LaunchPlan {
    public func clusterDirectory(_ service: ComposeService) -> String { places.clusters + "/" + service.name }

    public func clusterSocketDirectory(_ service: ComposeService) -> String { places.clusters + "/run" }

    func clusterArguments(_ service: ComposeService, port: Int, _ paths: PathMapping) -> [String] {
        func value(_ name: String) -> String? { service.environment.first { $0.name == name }?.value }
        let user = value("POSTGRES_USER") ?? "postgres"
        var arguments = [
            "postgres-cluster", "--programs", places.postgresPrograms, "--data", clusterDirectory(service), "--sockets",
            clusterSocketDirectory(service), "--port", String(port), "--user", user, "--database",
            value("POSTGRES_DB") ?? user,
        ]
        if let file = value("POSTGRES_PASSWORD_FILE") { arguments += ["--password-file", paths.rewrite(file)] }
        if value("POSTGRES_HOST_AUTH_METHOD") == "trust" { arguments.append("--trust") }
        for mount in service.mounts where mount.target.hasPrefix("/docker-entrypoint-initdb.d") {
            if case .path(let path) = mount.source { arguments += ["--init", path] }
        }
        return arguments
    }
}
