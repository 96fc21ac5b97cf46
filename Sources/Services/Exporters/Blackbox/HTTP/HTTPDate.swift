import Numbers

/// Dates of headers.
///
///     Sun, 06 Nov 1994 08:49:37 GMT      as they are written today
///     Sunday, 06-Nov-94 08:49:37 GMT     as in RFC 850
///     Sun Nov  6 08:49:37 1994           as asctime(3)
///
/// Source: RFC 9110 §5.6.7.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since the epoch.
    static func seconds(_ text: String) -> Int64? {
        let words = text.split(whereSeparator: { " ,-".contains($0) })
        guard words.count >= 5 else { return nil }
        // asctime has the month where the others have the day.
        let isOld = months.contains(String(words[1]))
        let (dayText, monthText, timeText, yearText) =
            isOld ? (words[2], words[1], words[3], words[4]) : (words[1], words[2], words[4], words[3])
        guard let day = Int(dayText), let month = months.firstIndex(of: String(monthText)), var year = Int(yearText) else { return nil }
        if yearText.count == 2 { year += year < 69 ? 2000 : 1900 }
        let time = timeText.split(separator: ":").compactMap { Int($0) }
        guard time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2]),
            (1...9999).contains(year), (1...TimeText.daysIn(month: month + 1, year: year)).contains(day)
        else { return nil }
        let days = TimeText.days(year: year, month: month + 1, day: 1) + Int64(day - 1)
        return days * 86_400 + Int64(time[0] * 3600 + time[1] * 60 + time[2])
    }
}
