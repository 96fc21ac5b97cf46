import Support
import TSDB
import Testing

@testable import PromQL

@Suite("Calendar")
struct CivilCalendarTests {
    private func date(_ year: Int64, _ month: Int, _ day: Int, at seconds: Int64) {
        let date = CivilDate(secondsSinceEpoch: seconds)
        #expect(date.year == year && date.month == month && date.day == day, "\(seconds): \(date)")
    }

    @Test("known days")
    func known() {
        date(1970, 1, 1, at: 0)
        date(1969, 12, 31, at: -1)
        date(2000, 2, 29, at: 951_782_400)
        date(1900, 3, 1, at: -2_203_891_200)
        date(2023, 11, 14, at: 1_700_000_000)
        date(0, 3, 1, at: -62_162_035_200)
        let whole = CivilDate(secondsSinceEpoch: 1_700_000_000)
        #expect(whole.hour == 22 && whole.minute == 13 && whole.second == 20)
        #expect(whole.dayOfWeek == 2 && whole.dayOfYear == 318 && whole.daysInMonth == 30)
    }

    @Test("day follows day, through leap years, for 1,000 years in both directions")
    func everyDay() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        // 0970-01-01 is 365,242 days before 1970; its weekday comes from the dates themselves being consecutive.
        var year: Int64 = 970, month = 1, day = 1, dayOfYear = 1
        let first = -365_242
        var weekday = ((4 + first) % 7 + 7) % 7
        for number in first...365_243 {
            let date = CivilDate(secondsSinceEpoch: Int64(number) * 86_400 + 86_399)
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length = month == 2 && isLeap ? 29 : lengths[month - 1]
            guard
                date.year == year, date.month == month, date.day == day, date.dayOfYear == dayOfYear,
                date.dayOfWeek == weekday, date.daysInMonth == length, date.hour == 23, date.minute == 59
            else {
                Issue.record("day \(number): \(date) instead of \(year)-\(month)-\(day)")
                return
            }
            day += 1
            dayOfYear += 1
            weekday = (weekday + 1) % 7
            if day > length { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month, dayOfYear) = (year + 1, 1, 1) }
        }
        #expect(year == 2970)
    }

    @Test("no double is out of reach", arguments: TestSeed.seeds(2))
    func anyDouble(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let special: [Double] = [
            .nan, .infinity, -.infinity, 1e300, -1e300, 9.3e18, -9.3e18, Double(Int64.max), Double(Int64.min), 0.9, -0.9,
        ]
        let values = special + (0..<5000).map { _ in Double(bitPattern: random.next()) }
        for name in CalendarPart.Name.allCases {
            let vector = DrawnVector(rows: [(labels: ["a": "b"], values: values)])
            let result = try Bench(steps: values.count).call("\(name.rawValue)(x)", vector)
            let cells = try result.cells(steps: values.count)[0].1
            let bounds: ClosedRange<Double>
            switch name {
            case .minute: bounds = 0...59
            case .hour: bounds = 0...23
            case .month: bounds = 1...12
            case .year: bounds = -1e12...1e12
            case .dayOfWeek: bounds = 0...6
            case .dayOfMonth: bounds = 1...31
            case .dayOfYear: bounds = 1...366
            case .daysInMonth: bounds = 28...31
            }
            #expect(cells.allSatisfy { $0.map { bounds.contains($0) } == true }, "\(name), seed \(seed)")
            // 0.9 and −0.9 are in the first second of 1970.
            if name == .year { #expect(cells[9] == 1970 && cells[10] == 1970) }
        }
    }

    /// Year, month, day, day of week, day of year, days in month, hour, minute as Prometheus 3.5.3 answers.
    @Test(
        "far outside of history the answers are upstream's",
        arguments: [
            (.nan, [292277026596, 12, 4, 0, 339, 31, 15, 30]),
            (1e300, [292277026596, 12, 4, 0, 339, 31, 15, 30]),
            (-9.2e18, [-291536392293, 5, 3, 2, 123, 31, 12, 26]),
            (9.2e18, [291536396232, 8, 31, 5, 244, 31, 11, 33]),
            (-1e15, [-31686769, 6, 29, 0, 180, 30, 22, 13]),
            (9223372036854775807, [292277026596, 12, 4, 0, 339, 31, 15, 30]),
            (-62167219201, [-1, 12, 31, 5, 365, 31, 23, 59]),
        ] as [(Double, [Double])])
    func upstream(_ value: Double, _ expected: [Double]) throws {
        let names = [
            "year", "month", "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute",
        ]
        let vector = DrawnVector(rows: [(labels: ["a": "b"], values: [value])])
        for (name, expected) in zip(names, expected) {
            #expect(try Bench(steps: 1).call("\(name)(x)", vector).cells(steps: 1)[0].1 == [expected], "\(name)")
        }
    }

    @Test("without an argument it is the step's own time")
    func now() throws {
        let bench = Bench(steps: 2, start: 1_700_000_000_000)
        #expect(try bench.call("minute()").drawn(steps: 2) == ["{}": "13 14"])
    }
}
