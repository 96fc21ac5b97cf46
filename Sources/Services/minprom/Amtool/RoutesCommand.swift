import Alerter
import ArgumentParser
import ConfigurationFile
import PrometheusClient
import TSDB

/// `minprom amtool config`: what a server runs with, and its routing tree.
struct AmtoolConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "View current config.", subcommands: [Show.self, RoutesCommand.self],
        defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the running config.",
            discussion: """
                simple: the config. extended: versions and start time as well. json: the whole status. With --config.file the config \
                as a server would show it, defaults filled in and secrets hidden.
                """)

        @Option(name: .customLong("config.file"), help: "Config file to be shown.")
        var file: String?

        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            if let file {
                do throws(ConfigError) { print(try AmtoolFiles.config(file).shown) } catch {
                    throw AmtoolOptions.fail(error.description)
                }
                return
            }
            try await options.withClient { client in
                let status = try await client.status()
                switch options.output {
                case .json: print(status.json)
                case .simple: print(status.config)
                case .extended:
                    print(status.config)
                    for name in ["buildUser", "goVersion", "revision", "version", "branch", "buildDate"] {
                        print(name, status.version.first { $0.name == name }?.value ?? "")
                    }
                    print("uptime", status.uptime)
                }
            }
        }
    }
}

/// `minprom amtool config routes`: the routing tree, and which way alerts take through it.
struct RoutesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes", abstract: "Print the alert routing tree, or test it.",
        subcommands: [Show.self, Test.self],
        defaultSubcommand: Show.self)

    struct Source: ParsableArguments {
        @Option(
            name: .customLong("config.file"), help: "Config file to be tested; without one, that of --alertmanager.url."
        )
        var file: String?

        func tree(_ options: AmtoolOptions) async throws -> RouteTree {
            if let file {
                do throws(ConfigError) { return RouteTree(try AmtoolFiles.config(file).route) } catch {
                    throw AmtoolOptions.fail(error.description)
                }
            }
            guard options.url != nil else {
                throw AmtoolOptions.fail("You have to specify one of --config.file or --alertmanager.url flags.")
            }
            var text = ""
            try await options.withClient { text = try await $0.status().config }
            do throws(ConfigError) {
                return RouteTree(try AlertmanagerFile(path: "", read: AmtoolFiles.read).parse(Array(text.utf8)).route)
            } catch { throw AmtoolOptions.fail(error.description) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the whole routing tree.")

        @OptionGroup var source: Source
        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            print("Routing tree:")
            print(RouteDrawing(try await source.tree(options)).whole)
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the names of the receivers that an alert with these labels goes to, in the tree's order.")

        @Option(
            name: .customLong("verify.receivers"), help: "Fail unless these are the receivers, separated by commas.")
        var expected: String?

        @Flag(help: "Print the matching routes as well.")
        var tree = false

        @Argument(help: "Labels of the alert, as name=value.")
        var labels: [String] = []

        @OptionGroup var source: Source
        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            let routes = try await source.tree(options)
            var alert = LabelsBuilder()
            for text in labels {
                let matcher: Matcher
                do throws(MatcherError) { matcher = try MatcherText.matcher(text) } catch {
                    throw AmtoolOptions.fail("Failed to parse labels: \(error)\n")
                }
                guard matcher.kind == .equal else {
                    throw AmtoolOptions.fail("Labels must be specified as key=value pairs")
                }
                alert.set(matcher.name, to: matcher.value)
            }
            let taken = alert.labels()
            if tree {
                print("Matching routes:")
                print(RouteDrawing(routes).matching(taken))
                print("")
            }
            let receivers = routes.matches(taken).map(\.route.receiver).joined(separator: ",")
            print(receivers)
            if let expected, !expected.isEmpty, expected != receivers {
                print("WARNING: Expected receivers did not match resolved receivers.")
                throw ExitCode(1)
            }
        }
    }
}
