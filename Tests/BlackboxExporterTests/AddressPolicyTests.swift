import Testing

@testable import BlackboxExporter

@Suite("Where the prober may go")
struct AddressPolicyTests {
    /// Forms of addresses that must not be reached by default, whatever they are written as.
    static let closed = [
        "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7F.0x0.0x0.0x1", "0177.0.0.1", "017700000001",
        "0177.0x0.1", "127.0.0.1.", "127.255.255.254", "0", "0.0.0.0", "0x", "::1", "[::1]", "0:0:0:0:0:0:0:1", "::",
        "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::169.254.169.254", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:0:0:0:0:80ff:fffe", "169.254.169.254", "2852039166",
        "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "fe80::1", "fe80::1%eth0",
        "febf::1", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1", "255.255.255.255", "240.0.0.1",
        "ff02::1",
    ]

    @Test("loopback, link-local, metadata and what is no host are refused in every spelling", arguments: closed)
    func refuses(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressPolicy().refusal(of: address, port: 80) != nil)
    }

    @Test(
        "private and public networks are open by default",
        arguments: [
            "10.0.0.1", "172.16.0.9", "192.168.1.1", "0xa.1", "fd12:3456::1", "fc00::1", "8.8.8.8", "2001:4860:4860::8888", "126.255.255.255",
            "128.0.0.1", "169.253.0.1", "169.255.0.1", "64:ff9b::808:808", "2002:808:808::1", "223.255.255.255", "100.64.0.1",
        ])
    func allows(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressPolicy().refusal(of: address, port: 80) == nil)
    }

    @Test("what is listed is open, with a port for that port only")
    func lists() throws {
        let policy = try AddressPolicy(["127.0.0.0/8:8000,[::1/128]:9090", "169.254.1.0/24"])
        func isOpen(_ text: String, _ port: Int) throws -> Bool {
            policy.refusal(of: try #require(IPAddress(text)), port: port) == nil
        }
        #expect(try isOpen("127.0.0.1", 8000))
        #expect(try isOpen("0x7f.1", 8000))
        #expect(try isOpen("::ffff:127.0.0.1", 8000))
        #expect(try !isOpen("127.0.0.1", 8001))
        #expect(try isOpen("::1", 9090))
        #expect(try !isOpen("::1", 80))
        #expect(try isOpen("169.254.1.7", 1))
        #expect(try !isOpen("169.254.169.254", 80))
        #expect(try isOpen("10.0.0.1", 80))
    }

    @Test("with `none` the list is all there is")
    func none() throws {
        let policy = try AddressPolicy(["none", "10.1.0.0/16:443"])
        #expect(policy.refusal(of: try #require(IPAddress("10.1.2.3")), port: 443) == nil)
        #expect(policy.refusal(of: try #require(IPAddress("10.1.2.3")), port: 80) != nil)
        #expect(policy.refusal(of: try #require(IPAddress("8.8.8.8")), port: 443) != nil)
        #expect(policy.refusal(of: try #require(IPAddress("127.0.0.1")), port: 443) != nil)
    }

    @Test(
        "what is no entry is refused",
        arguments: [
            "localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8:0", "10.0.0.0/8:70000", "::1:80x", "0x7f/8", "10/8", "a/b/c", "1.2.3.4/8/8",
        ])
    func refusesEntries(_ text: String) {
        #expect(throws: AddressPolicyError.self) { try AddressPolicy([text]) }
    }

    @Test("the hash of an address is FNV-1a over its bytes")
    func hash() throws {
        #expect(try #require(IPAddress("127.0.0.1")).hash32 == 3_668_918_509)
        #expect(try #require(IPAddress("::ffff:127.0.0.1")).hash32 == 3_668_918_509)
    }

    @Test(
        "names are no addresses",
        arguments: [
            "localhost", "", "1.2.3.4.5", "256.1", "1.2.3.256", "0x100000000", "4294967296", "08", "1..2", "a.b", "+1", "-1", "1.-2", "12345::1",
        ])
    func names(_ text: String) { #expect(IPAddress(text) == nil) }
}
