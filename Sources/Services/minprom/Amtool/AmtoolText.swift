import Alerter
import Numbers
import PrometheusClient
import TSDB

/// What the commands print, and the times they are given.
enum AmtoolText {
    // MARK: Alerts

    static func alerts(_ alerts: [ListedAlert], _ options: AmtoolOptions) -> String {
        if options.output == .json { return "[" + alerts.map(\.json).joined(separator: ",") + "]\n" }
        var table = TextTable()
        // Stable, so that equal times stay in the server's order.
        let sorted = alerts.enumerated().sorted { ($0.element.startsAt, $0.offset) < ($1.element.startsAt, $1.offset) }
            .map(\.element)
        if options.output == .simple {
            table.row(["Alertname", "Starts At", "Summary", "State"])
            for alert in sorted {
                table.row([
                    alert.label("alertname"), options.date(alert.startsAt), alert.annotation("summary"), alert.state,
                ])
            }
        } else {
            table.row(["Labels", "Annotations", "Starts At", "Ends At", "Generator URL", "State"])
            for alert in sorted {
                table.row([
                    pairs(alert.labels), pairs(alert.annotations), options.date(alert.startsAt),
                    options.date(alert.endsAt),
                    alert.generatorURL, alert.state,
                ])
            }
        }
        return table.text
    }

    private static func pairs(_ pairs: [(name: String, value: String)]) -> String {
        pairs.map { "\($0.name)=\"\($0.value)\"" }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(
            separator: " ")
    }

    // MARK: Silences

    static func show(_ silences: [ListedSilence], isQuiet: Bool, _ options: AmtoolOptions) {
        if isQuiet {
            for silence in silences { print(silence.id) }
        } else {
            print(text(silences, options), terminator: "")
        }
    }

    private static func text(_ silences: [ListedSilence], _ options: AmtoolOptions) -> String {
        if options.output == .json { return "[" + silences.map(\.json).joined(separator: ",") + "]\n" }
        let sorted = silences.enumerated().sorted { ($0.element.endsAt, $0.offset) < ($1.element.endsAt, $1.offset) }
            .map(\.element)
        let isSimple = options.output == .simple
        var table = TextTable()
        table.row(
            isSimple
                ? ["ID", "Matchers", "Ends At", "Created By", "Comment"]
                : ["ID", "Matchers", "Starts At", "Ends At", "Updated At", "Created By", "Comment"])
        for silence in sorted {
            let matchers = silence.matchers.map { MatcherText.string($0.kind, $0.name, $0.value) }
            let dates = isSimple ? [silence.endsAt] : [silence.startsAt, silence.endsAt, silence.updatedAt]
            let shown = isSimple ? matchers.joined(separator: " ") : "{" + matchers.joined(separator: ",") + "}"
            table.row([silence.id, shown] + dates.map(options.date) + [silence.createdBy, silence.comment])
        }
        return table.text
    }

    // MARK: Times

    static func time(_ text: String) throws -> Timestamp {
        guard let milliseconds = TimeText.parse(text) else {
            throw StartError("\"\(text)\" is not a time such as 2006-01-02T15:04:05Z")
        }
        return Timestamp(milliseconds: milliseconds)
    }

    /// `2h`, `1d`; not zero.
    static func duration(_ text: String) throws -> TSDB.Duration {
        let length: Int64
        do throws(DurationError) { length = try DurationText.parse(text) } catch { throw StartError(error.message) }
        if length == 0 { throw StartError("silence duration must be greater than 0") }
        return .milliseconds(length)
    }

    /// `2h0m0s`.
    static func goDuration(_ text: String) throws -> TSDB.Duration {
        do throws(DurationError) { return .milliseconds(try DurationText.parseGo(text) / 1_000_000) } catch {
            throw StartError("--within: \(error.message)")
        }
    }
}
