/// Year, month and day from seconds since 1970, in UTC, by the Gregorian calendar in both directions.
///
///     1 700 000 000  →  2023-11-14 22:13:20, a Tuesday, day 318 of the year
///
/// Counting years from March puts the leap day at the end, and months' lengths then follow one formula. Years repeat every
/// 400 years = 146,097 days (an era).
/// Source: H. Hinnant, “chrono-Compatible Low-Level Date Algorithms”.
///
/// Any `Int64` is a time here. Far outside of history the count wraps around in unsigned arithmetic exactly as Go's `time`
/// does, since `year(vector(1e300))` has an answer upstream.
struct CivilDate: Equatable {
    let year: Int64
    /// 1…12.
    let month: Int
    /// 1…31.
    let day: Int
    /// 1…366.
    let dayOfYear: Int
    /// 0 is Sunday.
    let dayOfWeek: Int
    /// 0…23, 0…59 and 0…59.
    let hour: Int
    let minute: Int
    let second: Int

    /// First of March of the year −292,277,022,400, a multiple of 400: nothing that fits in 64 bits lies before it but by wrapping.
    private static let originYear: Int64 = -292_277_022_400
    /// Seconds from there to 1970.
    private static let secondsToEpoch: UInt64 = {
        let eras = UInt64(-originYear) / 400
        // From 0000-03-01 to 1970-01-01 are 719,468 days.
        return (eras * 146_097 + 719_468) * 86_400
    }()

    init(secondsSinceEpoch seconds: Int64) {
        let absolute = UInt64(bitPattern: seconds) &+ Self.secondsToEpoch
        let days = absolute / 86_400
        let time = Int(absolute % 86_400)
        hour = time / 3600
        minute = time / 60 % 60
        second = time % 60
        // 719,468 days before 1970-01-01, a Thursday, was a Wednesday; an era has whole weeks.
        dayOfWeek = Int((days + 3) % 7)

        let era = days / 146_097
        let dayOfEra = Int(days % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayFromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayFromMarch + 2) / 153
        day = dayFromMarch - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = Self.originYear + Int64(era) * 400 + Int64(yearOfEra) + (month <= 2 ? 1 : 0)
        let isLeap = Self.isLeap(year)
        // January and February come after the ten months from March, which have 306 days.
        dayOfYear = month > 2 ? dayFromMarch + 60 + (isLeap ? 1 : 0) : dayFromMarch - 305
    }

    static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    var daysInMonth: Int {
        switch month {
        case 2: return Self.isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }
}

/// `year(v)`, `month(v)`, `hour(v)` …: a part of the date that the values, in seconds since 1970, stand for.
struct CalendarPart: ColumnTransform {
    enum Name: String, CaseIterable {
        case minute, hour, month, year
        case dayOfWeek = "day_of_week"
        case dayOfMonth = "day_of_month"
        case dayOfYear = "day_of_year"
        case daysInMonth = "days_in_month"
    }

    let name: Name

    func apply(to column: inout StepColumn) {
        let name = name
        column.forEachPresent { step in
            let date = CivilDate(secondsSinceEpoch: Self.seconds(column.values[step]))
            column.values[step] = Self.part(name, of: date)
        }
    }

    /// Toward zero; NaN and what no 64 bits hold become the smallest number, as on the processors upstream runs on.
    static func seconds(_ value: Double) -> Int64 {
        Int64(exactly: value.rounded(.towardZero)) ?? .min
    }

    private static func part(_ name: Name, of date: CivilDate) -> Double {
        switch name {
        case .minute: return Double(date.minute)
        case .hour: return Double(date.hour)
        case .month: return Double(date.month)
        case .year: return Double(date.year)
        case .dayOfWeek: return Double(date.dayOfWeek)
        case .dayOfMonth: return Double(date.day)
        case .dayOfYear: return Double(date.dayOfYear)
        case .daysInMonth: return Double(date.daysInMonth)
        }
    }
}
