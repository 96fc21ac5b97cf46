import Numbers
import Support
import TSDB
import Testing

@testable import Alerter

@Suite("Time intervals")
struct TimeIntervalTests {
    private func time(_ text: String) -> Timestamp { Timestamp(milliseconds: TimeText.parse(text) ?? .min) }

    private func part(_ change: (inout TimeInterval.Part) -> Void) -> TimeInterval.Part {
        var part = TimeInterval.Part()
        change(&part)
        return part
    }

    @Test("a part without fields holds always, an interval without parts never")
    func empty() {
        #expect(TimeInterval.Part().contains(time("2026-11-29T12:00:00Z")))
        #expect(!TimeInterval(name: "x").contains(time("2026-11-29T12:00:00Z")))
        #expect(TimeInterval.Part().contains(.min) && TimeInterval.Part().contains(.max))
    }

    @Test("times of day exclude their end, and 24:00 is an end")
    func times() {
        let office = part { $0.times = [540..<1020] }
        #expect(!office.contains(time("2026-11-27T08:59:59.999Z")))
        #expect(office.contains(time("2026-11-27T09:00:00Z")))
        #expect(office.contains(time("2026-11-27T16:59:59Z")))
        #expect(!office.contains(time("2026-11-27T17:00:00Z")))
        let evening = part { $0.times = [1080..<1440] }
        #expect(evening.contains(time("2026-11-27T23:59:59Z")))
        #expect(!evening.contains(time("2026-11-28T00:00:00Z")))
    }

    @Test("all fields must hold, any range of a field does")
    func fields() {
        let part = part {
            $0.weekdays = [1...1, 5...6]
            $0.months = [11...12]
            $0.years = [2026...2026]
        }
        #expect(part.contains(time("2026-11-28T00:00:00Z")))
        #expect(!part.contains(time("2026-11-29T00:00:00Z")))
        #expect(part.contains(time("2026-11-30T00:00:00Z")))
        #expect(!part.contains(time("2026-10-30T00:00:00Z")))
        #expect(!part.contains(time("2027-11-26T00:00:00Z")))
        #expect(!part.contains(time("1969-12-31T23:59:59.999Z")))
    }

    @Test("days of the month count from either end and stay within it")
    func days() {
        func days(_ begin: Int, _ end: Int, month: String) -> [Int] {
            let part = part { $0.daysOfMonth = [TimeInterval.DayRange(begin: begin, end: end)] }
            return (1...31).filter {
                let text = "\(month)-\($0 < 10 ? "0" : "")\($0)T12:00:00Z"
                return TimeText.parse(text) != nil && part.contains(time(text))
            }
        }
        #expect(days(1, 3, month: "2026-02") == [1, 2, 3])
        #expect(days(-3, -1, month: "2026-02") == [26, 27, 28])
        #expect(days(-1, -1, month: "2028-02") == [29])
        #expect(days(27, 31, month: "2026-02") == [27, 28])
        #expect(days(30, 31, month: "2026-02") == [])
        #expect(days(-31, -27, month: "2026-02") == [1, 2])
        #expect(days(5, -25, month: "2026-02") == [])
        #expect(days(1, -25, month: "2026-11") == [1, 2, 3, 4, 5, 6])
    }

    // MARK: Zones

    /// Zones of the machine's database, where there is one.
    private func zones(_ names: String...) throws -> TimeZones {
        var zones = TimeZones()
        for name in names {
            try zones.load(name) { (path) throws(TSDBError) in try DiskFileStore().readAll(path, limit: TimeZone.maximumBytes) }
        }
        return zones
    }

    private static let hasDatabase = DiskFileStore().exists("/usr/share/zoneinfo/Europe/Berlin")

    @Test("office hours follow the clocks when these change", .enabled(if: hasDatabase, "no time zone database"))
    func daylightSaving() throws {
        let zones = try zones("Europe/Berlin")
        var office = part { $0.times = [540..<1020] }
        office.location = "Europe/Berlin"
        func isOpen(_ text: String) -> Bool { office.contains(time(text), zones: zones) }
        // Clocks went forward on 29 March 2026, 01:00 UTC, and back on 25 October.
        #expect(!isOpen("2026-03-28T07:59:59Z") && isOpen("2026-03-28T08:00:00Z") && !isOpen("2026-03-28T16:00:00Z"))
        #expect(!isOpen("2026-03-29T06:59:59Z") && isOpen("2026-03-29T07:00:00Z") && !isOpen("2026-03-29T15:00:00Z"))
        #expect(isOpen("2026-10-24T07:00:00Z") && !isOpen("2026-10-25T07:59:59Z") && isOpen("2026-10-25T08:00:00Z"))
        // The hour that happens twice, and the one that does not happen.
        var night = part { $0.times = [120..<180] }
        night.location = "Europe/Berlin"
        #expect(night.contains(time("2026-10-25T00:30:00Z"), zones: zones) && night.contains(time("2026-10-25T01:30:00Z"), zones: zones))
        #expect(!night.contains(time("2026-03-29T00:59:59Z"), zones: zones) && !night.contains(time("2026-03-29T01:00:00Z"), zones: zones))
    }

    @Test("the day of a zone is its own", .enabled(if: hasDatabase, "no time zone database"))
    func ownDay() throws {
        let zones = try zones("Pacific/Auckland", "America/Los_Angeles", "Asia/Kathmandu")
        var monday = part { $0.weekdays = [1...1] }
        monday.location = "Pacific/Auckland"
        #expect(monday.contains(time("2026-11-29T11:00:00Z"), zones: zones))
        monday.location = "America/Los_Angeles"
        #expect(!monday.contains(time("2026-11-30T07:59:59Z"), zones: zones) && monday.contains(time("2026-11-30T08:00:00Z"), zones: zones))
        #expect(zones["Asia/Kathmandu"]?.offset(at: 1_764_000_000) == 20_700)
    }

    @Test("far dates go by the file's rule", .enabled(if: hasDatabase, "no time zone database"))
    func farDates() throws {
        let zones = try zones("Europe/Berlin", "Australia/Sydney", "America/New_York")
        func offset(_ zone: String, _ text: String) -> Int64? { zones[zone]?.offset(at: time(text).milliseconds / 1000) }
        #expect(offset("Europe/Berlin", "2099-01-15T00:00:00Z") == 3600)
        #expect(offset("Europe/Berlin", "2099-07-15T00:00:00Z") == 7200)
        #expect(offset("Australia/Sydney", "2099-01-15T00:00:00Z") == 39_600)
        #expect(offset("Australia/Sydney", "2099-07-15T00:00:00Z") == 36_000)
        #expect(offset("America/New_York", "1900-01-01T00:00:00Z") == -18_000)
        #expect(offset("Europe/Berlin", "1850-01-01T00:00:00Z") == 3208)
    }

    @Test(
        "rules are read as POSIX writes them",
        arguments: [
            ("UTC0", "2026-07-01T00:00:00Z", 0), ("<+0330>-3:30", "2026-07-01T00:00:00Z", 12_600),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", 3600), ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 7200),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 3600), ("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", -14_400),
            ("EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00Z", -18_000), ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01T00:00:00Z", 39_600),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7200), ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3600),
            ("AAA3BBB,J60/0,J300/0", "2028-03-01T03:00:00Z", -7200), ("AAA3BBB,59/0,300/0", "2028-02-29T03:00:00Z", -7200),
            ("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-27T00:00:00Z", 10_800),
        ] as [(String, String, Int64)])
    func rules(_ rule: String, _ moment: String, _ offset: Int64) throws {
        #expect(try #require(TimeZoneRule(rule)).offset(at: time(moment).milliseconds / 1000) == offset)
    }

    @Test("what is no rule is none", arguments: ["", "C", "CET", "CET-1CEST", "CET-25", "CET-1CEST,M13.1.0,M1.1.0", "<+01-1", "CET-1CEST,M3.5.0", "CET-1x"])
    func noRules(_ text: String) { #expect(TimeZoneRule(text) == nil) }

    @Test("an unknown zone, and a name that leaves the database, are errors")
    func unknown() {
        var zones = TimeZones()
        let nothing: (String) throws(TSDBError) -> [UInt8] = { (_) throws(TSDBError) in throw TSDBError(.io, "nothing") }
        #expect(throws: TimeZoneError("unknown time zone Mars/Olympus")) { try zones.load("Mars/Olympus", read: nothing) }
        for name in ["../etc/passwd", "/etc/passwd", "Europe/../../x", "a\\b"] {
            #expect(throws: TimeZoneError("time: invalid location name")) { try zones.load(name, read: nothing) }
        }
        #expect(zones[""] == .utc && zones["UTC"] == .utc && zones["Europe/Berlin"] == nil)
    }

    @Test(
        "a damaged zone file is an error or a zone, never a trap", .enabled(if: hasDatabase, "no time zone database"),
        arguments: TestSeed.seeds(4))
    func damaged(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let good = try DiskFileStore().readAll("/usr/share/zoneinfo/Europe/Berlin")
        for _ in 0..<TestSeed.cases(500) {
            var bytes = good
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            guard let zone = try? TimeZone(tzif: bytes) else { continue }
            for moment: Int64 in [.min, .min / 1000, 0, 1_764_000_000, 4_000_000_000, .max / 1000, .max] { _ = zone.offset(at: moment) }
        }
    }
}
