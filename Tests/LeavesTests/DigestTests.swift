import Digest
import Testing

@Suite("Digests")
struct DigestTests {
    private func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    @Test(
        "SHA-256 of the standard's examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(text: String, expected: String) { #expect(hex(SHA256.digest(text.utf8)) == expected) }

    @Test("HMAC-MD5 of RFC 2195's example")
    func hmac() {
        let challenge = "<1896.697170952@postoffice.reston.mci.net>"
        #expect(hex(MD5.hmac(challenge.utf8, key: "tanstaaftanstaaf".utf8)) == "b913a602c7eda7a495b4e6e7334d3890")
    }

    @Test(
        "base64 of RFC 4648's examples, there and back",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64(text: String, expected: String) {
        #expect(Base64.encode(text.utf8) == expected)
        #expect(Base64.decode(expected) == Array(text.utf8))
    }

    @Test("what is no base64 is refused", arguments: ["Zg", "Zg=", "Z", "Zm9v!", "====", "Zm9=v"])
    func malformed(text: String) { #expect(Base64.decode(text) == nil) }
}
