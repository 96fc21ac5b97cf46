import Alerter
import ArgumentParser
import Numbers
import PrometheusClient
import TSDB

/// `minprom amtool alert`: the alerts that an Alertmanager has.
struct AlertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alert", abstract: "Add or query alerts.", subcommands: [Query.self, Add.self],
        defaultSubcommand: Query.self)

    struct Query: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "View and search through current alerts.",
            discussion: """
                Matchers such as alertname=Down or 'job=~api.*'; all must match. A first word that is no matcher is an alert's name. \
                Without a flag for states, active alerts are shown.
                """)

        @Flag(name: .shortAndLong, help: "Show inhibited alerts.") var inhibited = false
        @Flag(name: .shortAndLong, help: "Show silenced alerts.") var silenced = false
        @Flag(name: .shortAndLong, help: "Show active alerts.") var active = false
        @Flag(name: .shortAndLong, help: "Show unprocessed alerts.") var unprocessed = false
        @Option(name: .shortAndLong, help: "Show alerts matching receiver (a regular expression).") var receiver = ""
        @Argument(help: "Matchers.") var matchers: [String] = []
        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            let query = AlertQuery(
                filter: AmtoolMatchers.named(matchers), active: active || !(inhibited || silenced || unprocessed),
                inhibited: inhibited,
                silenced: silenced, unprocessed: unprocessed, receiver: receiver)
            try await options.withClient { client in
                print(AmtoolText.alerts(try await client.alerts(query), options), terminator: "")
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a new alert.",
            discussion: "minprom amtool alert add Down job=api --annotation=summary='it is down'")

        @Option(name: .customLong("generator-url"), help: "URL of the source that generated the alert.")
        var generatorURL = ""
        @Option(help: "When the alert starts: RFC 3339.") var start: String?
        @Option(help: "When the alert ends: RFC 3339.") var end: String?
        @Option(help: "An annotation, as name=value; may be repeated.") var annotation: [String] = []
        @Argument(help: "Labels, as name=value. A first word without a value is the alert's name.") var labels: [String] = []
        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            try await options.withClient { client in
                let alert = PostedAlert(
                    labels: try AmtoolMatchers.pairs(AmtoolMatchers.named(labels), "labels"),
                    annotations: try AmtoolMatchers.pairs(annotation, "annotations"), generatorURL: generatorURL,
                    startsAt: try start.map(AmtoolText.time), endsAt: try end.map(AmtoolText.time))
                try await client.add(alert)
            }
        }
    }
}

/// Matchers and labels on the command line.
enum AmtoolMatchers {
    /// A first word that is no matcher is an alert's name.
    static func named(_ words: [String]) -> [String] {
        guard let first = words.first, (try? MatcherText.matcher(first)) == nil else { return words }
        return ["alertname=" + QuotedText.go(first)] + words.dropFirst()
    }

    static func pairs(_ words: [String], _ what: String) throws -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for word in words {
            let matcher = try MatcherText.matcher(word)
            guard matcher.kind == .equal else { throw StartError("\(what) must be specified as key=value pairs") }
            pairs.removeAll { $0.name == matcher.name }
            pairs.append((matcher.name, matcher.value))
        }
        return pairs
    }
}
