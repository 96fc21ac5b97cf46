import ComposeFile

/// Where the values of secrets stand, and which are to be made up because nobody gave them.
///
///     bot_token: {file: ./secrets/bot_token}   there      ─▶ used as it is
///                                              not there  ─▶ made, in ./secrets or .minprom only, mode 0600
///     bot_token: {environment: BOT_TOKEN}      set        ─▶ written to .minprom/secrets/bot_token
///                                              not set    ─▶ made there once
public struct GeneratedSecrets: Sendable {
    public enum Content: Equatable, Sendable {
        case random
        case text(String)
    }

    public private(set) var files: [String: String] = [:]
    /// To be written before anything starts.
    public private(set) var missing: [(name: String, file: String, content: Content)] = []
    /// Named by a file that is not there, in a place where we make none.
    public private(set) var refused: [(name: String, file: String)] = []

    public init(_ project: ComposeProject, state: String, environment: [String: String], exists: (String) -> Bool) {
        let used = Set(project.services.flatMap { $0.secrets.map(\.source) })
        for secret in project.secrets where used.contains(secret.name) {
            switch secret.source {
            case .file(let file):
                files[secret.name] = file
                if exists(file) { continue }
                if [state, project.directory + "/secrets"].contains(where: { file.hasPrefix($0 + "/") }) {
                    missing.append((secret.name, file, .random))
                } else {
                    refused.append((secret.name, file))
                }
            case .environment(let variable):
                let file = state + "/secrets/" + secret.name
                files[secret.name] = file
                if let value = environment[variable], !value.isEmpty {
                    missing.append((secret.name, file, .text(value)))
                } else if !exists(file) {
                    missing.append((secret.name, file, .random))
                }
            }
        }
    }
}
