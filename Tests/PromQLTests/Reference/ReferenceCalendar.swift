/// A point in time taken apart: the proleptic Gregorian calendar in UTC, no leap seconds.
///
/// Years are counted from March, so that the leap day is the last of its year and months have the regular lengths
/// 31 30 31 30 31 | 31 30 31 30 31 | 31 28/29.
/// Source: Howard Hinnant, “chrono-Compatible Low-Level Date Algorithms”.
struct ReferenceCalendar {
    let year: Int
    /// 1…12.
    let month: Int
    /// 1…31.
    let day: Int
    /// Whole days since 1 January 1970.
    private let days: Int
    private let secondOfDay: Int

    /// Values that are no 64-bit number of seconds, NaN among them, stand for 2⁶³ s: where upstream's arithmetic ends up.
    init(value: Double) {
        if let seconds = Int64(exactly: value.rounded(.towardZero)) {
            self.init(seconds: Int128(seconds))
        } else {
            self.init(seconds: Int128(1) << 63)
        }
    }

    init(seconds: Int128) {
        let sinceMidnight = ((seconds % 86_400) + 86_400) % 86_400
        secondOfDay = Int(sinceMidnight)
        days = Int((seconds - sinceMidnight) / 86_400)
        let sinceMarch = days + 719_468  // days since 1 March of the year 0
        let era = sinceMarch.quotient(146_097)
        let dayOfEra = sinceMarch.remainder(146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    static let parts: [String: @Sendable (ReferenceCalendar) -> Int] = [
        "year": { $0.year },
        "month": { $0.month },
        "day_of_month": { $0.day },
        // Sunday is 0; the epoch was a Thursday.
        "day_of_week": { ($0.days + 4).remainder(7) },
        "day_of_year": { date in
            (1..<date.month).reduce(date.day) { $0 + date.length(ofMonth: $1) }
        },
        "days_in_month": { $0.length(ofMonth: $0.month) },
        "hour": { $0.secondOfDay / 3600 },
        "minute": { $0.secondOfDay / 60 % 60 },
    ]

    private func length(ofMonth month: Int) -> Int {
        let isLeapYear = year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400)
        switch month {
        case 2: return isLeapYear ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }
}

extension Int {
    /// Division rounded down, also of negative numbers.
    fileprivate func quotient(_ divisor: Int) -> Int { (self - remainder(divisor)) / divisor }

    fileprivate func remainder(_ divisor: Int) -> Int {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
