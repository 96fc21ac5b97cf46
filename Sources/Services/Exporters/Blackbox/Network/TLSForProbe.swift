import Alerter
import NIOSSL
import Notify

extension HTTPClientConfig.TLS {
    /// Of TLS nothing older than 1.2, unless the module asks for it.
    func forProbe(protocols: [String] = []) throws -> TLSConfiguration {
        var configuration: TLSConfiguration
        do throws(AttemptError) { configuration = try self.configuration() } catch { throw ProbeFailure(error.message) }
        if minimumVersion.isEmpty { configuration.minimumTLSVersion = .tlsv12 }
        configuration.applicationProtocols = protocols
        return configuration
    }
}
