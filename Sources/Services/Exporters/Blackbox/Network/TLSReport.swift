import Digest
import NIOSSL

/// What a handshake has told about the peer.
struct TLSReport: Sendable {
    var version: TLSVersion?
    var suite: UInt16?
    var leaf: NIOSSLCertificate?
    /// Root included, where the chain was verified.
    var verified: [NIOSSLCertificate]

    /// `TLS 1.3`.
    var versionName: String {
        switch version {
        case .tlsv1?: return "TLS 1.0"
        case .tlsv11?: return "TLS 1.1"
        case .tlsv12?: return "TLS 1.2"
        case .tlsv13?: return "TLS 1.3"
        default: return "unknown"
        }
    }

    var cipherName: String { suite.map { CipherSuite.name($0) } ?? "unknown" }

    /// Of the certificates the peer has sent the one that ends first. Of a verified chain that is all but the root, which is not sent.
    var earliestExpiry: Int64 {
        let roots = verified.filter { Certificate($0)?.isSelfIssued ?? false }
        let sent = ([leaf] + verified.filter { !roots.contains($0) }).compactMap { $0 }
        return sent.map { Int64($0.notValidAfter) }.min() ?? Self.noTime
    }

    var lastChainExpiry: Int64 { verified.map { Int64($0.notValidAfter) }.min() ?? Self.noTime }

    /// Seconds of Go's zero time, 1 January of the year 1: what the original shows where nothing was verified.
    private static let noTime: Int64 = -62_135_596_800

    /// Registers and sets `probe_ssl_*` and `probe_tls_version_info`; the cipher where it is wanted.
    func show(in metrics: inout ProbeMetrics, showsCipher: Bool) {
        metrics.register("probe_ssl_earliest_cert_expiry", "Returns last SSL chain expiry in unixtime")
        metrics.set("probe_ssl_earliest_cert_expiry", Double(earliestExpiry))
        metrics.register("probe_ssl_last_chain_expiry_timestamp_seconds", "Returns last SSL chain expiry in timestamp")
        metrics.set("probe_ssl_last_chain_expiry_timestamp_seconds", Double(lastChainExpiry))
        metrics.info("probe_tls_version_info", [("version", versionName)], "Returns the TLS version used or NaN when unknown")
        if showsCipher {
            metrics.info("probe_tls_cipher_info", [("cipher", cipherName)], "Returns the TLS cipher negotiated during handshake")
        }
        guard let leaf, let der = try? leaf.toDERBytes() else { return }
        let certificate = Certificate(der)
        let names = leaf._subjectAlternativeNames().filter { $0.nameType == .dnsName }.map { String(decoding: $0.contents, as: UTF8.self) }
        metrics.info(
            "probe_ssl_last_chain_info",
            [
                ("fingerprint_sha256", Self.hexadecimal(SHA256.digest(der))),
                ("subject", certificate?.subject ?? ""), ("issuer", certificate?.issuer ?? ""),
                ("subjectalternative", names.joined(separator: ",")),
                ("serialnumber", Self.hexadecimal(Array(leaf.serialNumber.drop { $0 == 0 }))),
            ], "Contains SSL leaf certificate information")
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Names of cipher suites, as Go's library calls them.
enum CipherSuite {
    private static let names: [UInt16: String] = [
        0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256",
        0xc02b: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xc02c: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xc02f: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xc030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xcca8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        0xc009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xc00a: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        0xc013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xc014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0xc023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", 0xc027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        0x009c: "TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009d: "TLS_RSA_WITH_AES_256_GCM_SHA384",
        0x002f: "TLS_RSA_WITH_AES_128_CBC_SHA", 0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
    ]

    static func name(_ number: UInt16) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return names[number] ?? "0x" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
