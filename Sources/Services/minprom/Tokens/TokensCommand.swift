import ArgumentParser
import Tokens

/// `minprom tokens FILE…`: makes secrets that are not there yet, so that nobody has to invent a password and none stands in a repository.
///
///     minprom tokens secrets/database/password secrets/bot/token
///     secrets/database/password: made
///     secrets/bot/token: kept
struct TokensCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "Make random secrets in files that are not there yet.")

    @Argument(help: "Files to make.")
    var files: [String]

    func run() throws {
        for file in files {
            let isNew = try TokenFile(file).make(TokenFile.randomText())
            print("\(file): \(isNew ? "made" : "kept")")
        }
    }
}
