import Alerter
import NIOSSL

extension HTTPClientConfig.TLS {
    /// For the TLS library. Files are read now: a renewed certificate counts from the next connection on.
    package func configuration() throws(AttemptError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let ca {
            configuration.trustRoots = .certificates(try Self.certificates(try ca.value()))
        }
        if let certificate, let key {
            configuration.certificateChain = try Self.certificates(try certificate.value()).map { .certificate($0) }
            let pem = Array(try key.value().utf8)
            do { configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: pem, format: .pem)) } catch {
                throw AttemptError(.other, "parse TLS configuration: unable to use the key", isRetryable: false)
            }
        }
        if skipsVerification { configuration.certificateVerification = .none }
        if let version = try Self.version(minimumVersion) { configuration.minimumTLSVersion = version }
        configuration.maximumTLSVersion = try Self.version(maximumVersion)
        return configuration
    }

    private static func certificates(_ pem: String) throws(AttemptError) -> [NIOSSLCertificate] {
        do { return try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)) } catch {
            throw AttemptError(.other, "parse TLS configuration: unable to use the certificate", isRetryable: false)
        }
    }

    private static func version(_ text: String) throws(AttemptError) -> TLSVersion? {
        switch text {
        case "": return nil
        case "TLS10": return .tlsv1
        case "TLS11": return .tlsv11
        case "TLS12": return .tlsv12
        case "TLS13": return .tlsv13
        default: throw AttemptError(.other, "parse TLS configuration: unknown TLS version: \(text)", isRetryable: false)
        }
    }
}
