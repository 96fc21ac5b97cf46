/// What clocks show in a place: the seam for the time zone database, which stands in files.
public protocol TemplateZones: Sendable {
    /// Seconds east of Greenwich and the zone's short name at a moment; `nil`: there is no zone of this name.
    func offset(in zone: String, at secondsSinceEpoch: Int64) -> (seconds: Int, abbreviation: String)?
}

/// Knows UTC only.
public struct UTCOnly: TemplateZones {
    public init() {}
    public func offset(in zone: String, at secondsSinceEpoch: Int64) -> (seconds: Int, abbreviation: String)? {
        zone.isEmpty || zone == "UTC" ? (0, "UTC") : nil
    }
}
