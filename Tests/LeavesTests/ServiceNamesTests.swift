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
