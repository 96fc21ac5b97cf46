import Alerter
import Synchronization
import TSDB

/// The machine's time zones, read from its database when a template first asks for one.
public final class ZoneFiles: TemplateZones {
    private let zones = Mutex(TimeZones())

    public init() {}

    public func offset(in zone: String, at secondsSinceEpoch: Int64) -> (seconds: Int, abbreviation: String)? {
        zones.withLock { zones -> (seconds: Int, abbreviation: String)? in
            do {
                try zones.load(zone) { path throws(TSDBError) in
                    do throws(AttemptError) { return try SmallFile.bytes(path) } catch {
                        throw TSDBError(.io, error.message)
                    }
                }
            } catch { return nil }
            guard let found = zones[zone] else { return nil }
            return (Int(found.offset(at: secondsSinceEpoch)), found.abbreviation(at: secondsSinceEpoch))
        }
    }
}
