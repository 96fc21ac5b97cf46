/// Where the prober may go. Whoever can ask for `/probe?target=…` chooses an address and is told what answers there, so a prober
/// without bounds is a door into the network it stands in.
///
///     name ─▶ resolve ─▶ every address asked here ─▶ connect ─▶ the peer asked here again ─▶ redirect: from the start
///
/// By default everything is allowed but what is nobody's business to ask from outside:
///
///     127.0.0.0/8  ::1                      this machine
///     169.254.0.0/16  fe80::/10             link-local, and the metadata services of clouds that live there
///     fd00:ec2::254  100.100.100.200 …      metadata services elsewhere
///     0.0.0.0/8  ::  224.0.0.0/3  ff00::/8  no address of a host
///
/// Private networks (10/8, 172.16/12, 192.168/16, fc00::/7) are what a prober is for and stay allowed. Addresses of version 6 that
/// carry one of version 4 (mapped, compatible, NAT64, 6to4, Teredo) are judged by both.
///
/// `--probe.allow=127.0.0.0/8:8000,none,…` lists what is allowed as well; the word `none` takes the default away, so that the list is all.
/// Names that `ServiceNames` leads somewhere are the operator's own word and are not asked about here.
///
/// Sources: CVE-2020-16248 and blackbox_exporter#669, open by design there; RFC 6890.
public struct AddressPolicy: Sendable, Equatable {
    struct Rule: Sendable, Equatable {
        var network: Network
        /// `nil`: any.
        var port: Int?
    }

    private var allowed: [Rule] = []
    private var usesDefault = true

    /// The default.
    public init() {}

    /// `CIDR`, `CIDR:port`, `[v6-CIDR]:port` or `none`, apart by commas; throws the text that is none of them.
    public init(_ texts: [String]) throws(AddressPolicyError) {
        for entry in texts.flatMap({ $0.split(separator: ",").map { $0.filter { $0 != " " } } }) where !entry.isEmpty {
            switch entry {
            case "none": usesDefault = false
            case "default": usesDefault = true
            default: allowed.append(try Self.rule(entry))
            }
        }
    }

    private static func rule(_ text: String) throws(AddressPolicyError) -> Rule {
        if let network = Network(text) { return Rule(network: network, port: nil) }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port) else {
            throw AddressPolicyError(text: text)
        }
        var left = text[..<colon]
        if left.hasPrefix("[") && left.hasSuffix("]") {
            left = left.dropFirst().dropLast()
        } else if left.contains(":") {
            throw AddressPolicyError(text: text)
        }
        guard let network = Network(String(left)) else { throw AddressPolicyError(text: text) }
        return Rule(network: network, port: port)
    }

    /// Why not; `nil` where the way is free. `port`: 0 where the protocol has none.
    func refusal(of address: IPAddress, port: Int) -> AddressRefusal? {
        for rule in allowed where rule.network.contains(address) && (rule.port == nil || rule.port == port) { return nil }
        guard usesDefault else { return AddressRefusal(address: address, port: port, reason: "is not in the list of --probe.allow") }
        for face in [address] + Self.carried(by: address) {
            if let closed = Self.closed.first(where: { $0.network.contains(face) }) {
                return AddressRefusal(address: address, port: port, reason: "is \(closed.reason); --probe.allow can list it")
            }
        }
        return nil
    }

    // MARK: The default

    private static let closed: [(network: Network, reason: String)] = [
        ("127.0.0.0/8", "this machine"), ("::1/128", "this machine"),
        ("169.254.0.0/16", "link-local"), ("fe80::/10", "link-local"), ("fec0::/10", "site-local"),
        // Amazon, Alibaba, Oracle, Azure, in this order.
        ("fd00:ec2::254/128", "a metadata service"), ("100.100.100.200/32", "a metadata service"),
        ("192.0.0.192/32", "a metadata service"), ("168.63.129.16/32", "a metadata service"),
        ("0.0.0.0/8", "no address of a host"), ("::/128", "no address of a host"),
        ("224.0.0.0/3", "no address of a host"), ("ff00::/8", "no address of a host"),
    ].compactMap { entry in Network(entry.0).map { ($0, entry.1) } }

    /// Prefixes of version 6, and where behind them an address of version 4 stands. Teredo's is written inverted.
    private static let carriers: [(network: Network, at: Int, isInverted: Bool)] = [
        ("::/96", 12, false), ("::ffff:0:0:0/96", 12, false), ("64:ff9b::/96", 12, false), ("64:ff9b:1::/48", 12, false),
        ("2002::/16", 2, false), ("2001::/32", 12, true),
    ].compactMap { entry in Network(entry.0).map { ($0, entry.1, entry.2) } }

    private static func carried(by address: IPAddress) -> [IPAddress] {
        guard address.isVersion6 else { return [] }
        return carriers.compactMap { carrier in
            guard carrier.network.contains(address) else { return nil }
            let bytes = address.bytes[carrier.at..<carrier.at + 4]
            return IPAddress(bytes: bytes.map { carrier.isInverted ? ~$0 : $0 })
        }
    }
}

/// Addresses that begin alike: `10.0.0.0/8`; an address alone is a network of one.
struct Network: Sendable, Equatable {
    let base: IPAddress
    let length: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        // Old forms are for those who attack, not for those who configure.
        guard parts.count <= 2, let first = parts.first.map(String.init), let base = IPAddress(first),
            first.contains(":") || first.split(separator: ".").count == 4
        else { return nil }
        var length = base.bytes.count * 8
        if parts.count == 2 {
            guard let number = Int(parts[1]), (0...length).contains(number) else { return nil }
            length = number
        }
        self.base = base
        self.length = length
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        for index in 0..<length {
            let mask = UInt8(0x80) >> UInt8(index & 7)
            if (address.bytes[index >> 3] ^ base.bytes[index >> 3]) & mask != 0 { return false }
        }
        return true
    }
}

public struct AddressPolicyError: Error, Equatable, Sendable, CustomStringConvertible {
    public var text: String
    public var description: String { "\"\(text)\" is not CIDR, CIDR:port, [CIDR]:port, none or default" }
}

/// An address the policy does not let us go to.
struct AddressRefusal: Error, Equatable, CustomStringConvertible {
    var address: IPAddress
    var port: Int
    var reason: String
    var description: String { "\(port == 0 ? address.description : address.withPort(port)) \(reason)" }
}
