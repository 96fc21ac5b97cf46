import Foundation
import Testing
import Tokens

@Suite("minprom tokens makes secrets that are not there yet")
struct TokenFileTests {
    private let folder = NSTemporaryDirectory() + "tokens-" + TokenFile.randomText()

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("a secret is made once, and stays; its folders are its owner's alone")
    func once() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = TokenFile(folder + "/bot/token")
        #expect(try file.make("first"))
        #expect(try !file.make("second"))
        #expect(try String(contentsOfFile: file.path, encoding: .utf8) == "first\n")
        #expect(try mode(file.path) == 0o444)
        #expect(try mode(folder) == 0o700)
        #expect(try mode(folder + "/bot") == 0o700)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/bot") == ["token"])
    }

    @Test("of many that make the same secret at once one does, and all read the same")
    func race() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/token"
        let made = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 { group.addTask { try TokenFile(path).make(TokenFile.randomText()) } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 1)
        #expect(try String(contentsOfFile: path, encoding: .utf8).count == 65)
    }

    @Test("a folder that cannot be made is an error that names it")
    func refused() {
        #expect(throws: TokenError(description: "mkdir /dev/null/x: Not a directory")) { try TokenFile("/dev/null/x/token").make("x") }
    }

    @Test("secrets are 256 random bits")
    func random() {
        let texts = Set((0..<100).map { _ in TokenFile.randomText() })
        #expect(texts.count == 100)
        #expect(texts.allSatisfy { $0.count == 64 && $0.allSatisfy(\.isHexDigit) })
    }
}
