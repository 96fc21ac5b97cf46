import Testing

@testable import Alerter

@Suite("Hosts and ports")
struct HostPortTests {
    @Test(arguments: [
        ("foo.example.com", "foo.example.com", "foo"),
        ("foo.example.com:12345", "foo.example.com", "foo:12345"),
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:12345", "192.0.2.1", "192.0.2.1:12345"),
        ("2001:0DB8::1", "2001:0DB8::1", "2001:0DB8::1"),
        ("[2001:0DB8::1]:12345", "2001:0DB8::1", "[2001:0DB8::1]:12345"),
        ("[2001:0DB8::1]::12345", "[2001:0DB8::1]::12345", "[2001:0DB8::1]::12345"),
        ("host:", "host", "host"),
        (":9090", "", ":9090"),
        ("a[b:1", "a[b:1", "a[b:1"),
        ("[::1", "[::1", "[::1"),
        ("", "", ""),
    ])
    func `Ports and domains go, addresses stay`(_ text: String, _ withoutPort: String, _ withoutDomain: String) {
        #expect(HostPort.withoutPort(text) == withoutPort)
        #expect(HostPort.withoutDomain(text) == withoutDomain)
    }

    @Test(arguments: [
        ("1.2.3.4", true), ("1.2.3", false), ("1.2.3.256", false), ("01.2.3.4", false), ("::", true), ("::1", true),
        ("1::", true),
        ("1:2:3:4:5:6:7:8", true), ("1:2:3:4:5:6:7", false), ("1:2:3:4:5:6:7:8:9", false), ("1::2::3", false),
        ("::ffff:1.2.3.4", true), ("1:2:3:4:5:6:1.2.3.4", true), ("1:2:3:4:5:6:7:1.2.3.4", false), (":1", false),
        ("1:", false), (":::", false),
        ("12345::", false), ("g::", false), ("fe80::1%eth0", false), ("1:2:3:4:5:6:7::", true),
        ("1:2:3:4:5:6:7:8::", false), ("", false),
        (":", false),
    ])
    func `Addresses are told from names`(_ text: String, _ isAddress: Bool) {
        #expect(HostPort.isAddress(text) == isAddress)
    }
}
