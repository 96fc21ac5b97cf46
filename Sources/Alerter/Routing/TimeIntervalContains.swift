import Numbers
import TSDB

extension TimeInterval {
    /// Whether any of the parts holds at `time`.
    public func contains(_ time: Timestamp, zones: TimeZones = TimeZones()) -> Bool {
        parts.contains { $0.contains(time, zones: zones) }
    }
}

extension TimeInterval.Part {
    /// Whether all fields hold at `time`, read on the clock of `location`; where its zone was not loaded, on UTC's.
    public func contains(_ time: Timestamp, zones: TimeZones = TimeZones()) -> Bool {
        var seconds = time.milliseconds / 1000
        if time.milliseconds % 1000 < 0 { seconds -= 1 }
        let offset = (zones[location] ?? .utc).offset(at: seconds)
        let local = TimeText.civil(seconds: seconds.clampedAdding(offset))
        let minute = local.hour * 60 + local.minute
        let length = TimeText.daysIn(month: local.month, year: local.year)
        return holds(times) { $0.contains(minute) }
            && holds(daysOfMonth) { $0.contains(local.day, monthLength: length) }
            && holds(months) { $0.contains(local.month) }
            && holds(weekdays) { $0.contains(local.weekday) }
            && holds(years) { $0.contains(local.year) }
    }

    private func holds<Item>(_ items: [Item], _ condition: (Item) -> Bool) -> Bool { items.isEmpty || items.contains(where: condition) }
}

extension TimeInterval.DayRange {
    /// Negative days count from the month's end; an end after it is the last day, a beginning after it is never.
    func contains(_ day: Int, monthLength: Int) -> Bool {
        let first = begin < 0 ? monthLength + begin + 1 : begin
        let last = end < 0 ? monthLength + end + 1 : end
        return first <= monthLength && day >= first && day <= min(last, monthLength)
    }
}
