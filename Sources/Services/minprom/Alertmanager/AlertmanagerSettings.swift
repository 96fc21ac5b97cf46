import ArgumentParser
import ConfigurationFile
import HTTPServer
import Numbers
import TSDB
import WebAPI

/// What the Alertmanager half is started with, whether it runs alone or inside the server.
struct AlertmanagerSettings: Sendable {
    var configFile: String
    /// `nil`: nothing is kept over a restart.
    var directory: String?
    var addresses: [WebServer.Address]
    /// What links in notifications begin with; empty: from the host's name and the port.
    var externalURL = ""
    var routePrefix = ""
    var retention = TSDB.Duration.hours(120)
    var maintenanceInterval = TSDB.Duration.minutes(15)
    var alertCollectionInterval = TSDB.Duration.minutes(30)
    var maximumSilences = 10_000
    var maximumSilenceBytes = 4096
    var alertsPerName = 0
    /// The same flags, as lines of warnings say them.
    var flagPrefix = ""

    static func addresses(_ texts: [String], flag: String) throws(StartError) -> [WebServer.Address] {
        var result: [WebServer.Address] = []
        for text in texts {
            guard let address = WebServer.Address(text) else { throw StartError("--\(flag): \"\(text)\" is not host:port") }
            result.append(address)
        }
        return result
    }

    static func duration(_ text: String, flag: String) throws(StartError) -> TSDB.Duration {
        do throws(DurationError) { return .milliseconds(try Numbers.DurationText.parse(text)) } catch {
            throw StartError("--\(flag): \(error.message)")
        }
    }

    static func count(_ number: Int, flag: String) throws(StartError) -> Int {
        guard number >= 0 else { throw StartError("--\(flag) must not be negative") }
        return number
    }
}
