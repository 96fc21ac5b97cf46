import ServiceNames
import Testing

@Suite("Names of services without a network of their own")
struct ServiceNamesTests {
    private let names = ServiceNames("api:8000=127.0.0.1:18000 db=10.0.0.1 :8000=127.0.0.1:18000 v6:1=[::1]:2")

    @Test("a connection goes where the variable says, others where they always went")
    func connecting() {
        #expect(names.connecting(to: "api", 8000) == .init("127.0.0.1", 18000))
        #expect(names.connecting(to: "api", 8001) == .init("api", 8001))
        #expect(names.connecting(to: "db", 5432) == .init("10.0.0.1", 5432))
        #expect(names.connecting(to: "v6", 1) == .init("::1", 2))
        #expect(names.connecting(to: "::1", 2) == .init("::1", 2))
    }

    @Test("a server listens where the variable says")
    func listening() {
        #expect(names.listening(on: "0.0.0.0", 8000) == .init("127.0.0.1", 18000))
        #expect(names.listening(on: "0.0.0.0", 9090) == .init("0.0.0.0", 9090))
    }

    @Test(
        "what is none of the forms is passed over",
        arguments: ["", " ", "=", "a", "a=", "=b", "a:1", "a:1=", "a:1=b", ":1=", "a:99999=b:1", "a:0=b:1", ":=:", "a=b:1"])
    func malformed(_ text: String) {
        #expect(ServiceNames(text).isEmpty)
    }
}

@Suite("Names in URLs")
struct ServiceURLTests {
    @Test(
        "the connection goes elsewhere, the Host header keeps the name",
        arguments: [
            ("http://api:8000/health?x=1", "http://127.0.0.1:18000/health?x=1", "api:8000"),
            ("http://u:p@api:8000", "http://u:p@127.0.0.1:18000", "api:8000"), ("http://web/x", "http://[::1]:81/x", "web"),
            ("http://api:8001/", "http://api:8001/", nil), ("https://api:8000/", "https://api:8000/", nil), ("nonsense", "nonsense", nil),
        ] as [(String, String, String?)])
    func url(text: String, expected: String, header: String?) {
        let place = ServiceNames("api:8000=127.0.0.1:18000 web:80=[::1]:81").connecting(toURL: text)
        #expect(place.url == expected)
        #expect(place.hostHeader == header)
    }
}
