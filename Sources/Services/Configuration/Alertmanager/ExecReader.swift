import Alerter

/// Reads an entry of `exec_configs`, which Alertmanager does not have: a program that gets the notification on its standard input.
///
///     exec_configs:
///     - command: [/usr/local/bin/page, --team, db]      an absolute path and arguments as they are: no shell, no templates
///       timeout: 10s
///       concurrency: 1
struct ExecReader {
    /// Runs of one program at once.
    static let maximumConcurrency = 100

    func read(_ fields: inout ShownFields) throws(ConfigError) -> ExecSettings {
        let command = try fields.strings("command") ?? []
        guard let program = command.first, program.hasPrefix("/") else {
            throw ConfigError("command of \(fields.kind) must begin with the absolute path of a program", at: fields.position)
        }
        if command.contains(where: { $0.utf8.contains(0) }) {
            throw ConfigError("command of \(fields.kind) must not contain the byte zero", at: fields.position)
        }
        var settings = ExecSettings(command: command)
        if let timeout = try fields.duration("timeout") {
            if timeout == .zero { throw ConfigError("timeout of \(fields.kind) cannot be zero", at: fields.position) }
            settings.timeout = timeout
        } else {
            fields.show("timeout", "10s")
        }
        if let node = fields.take("concurrency") {
            guard let number = Int(try node.text("concurrency")), (1...Self.maximumConcurrency).contains(number) else {
                throw ConfigError("concurrency must be a number from 1 to \(Self.maximumConcurrency)", at: node.position)
            }
            settings.concurrency = number
        }
        fields.show("concurrency", .number(settings.concurrency))
        return settings
    }
}
