import ArgumentParser
import PrometheusClient

/// `minprom amtool cluster`: the peers that share silences and notifications.
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "View cluster status and peers.", subcommands: [Show.self],
        defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "View cluster status and peers.")

        @OptionGroup var options: AmtoolOptions

        func run() async throws {
            try await options.withClient { client in
                let status = try await client.status()
                if options.output == .json {
                    print(status.clusterJSON)
                    return
                }
                var table = TextTable()
                table.line("Cluster Status:\t\(status.clusterStatus)")
                table.line("Node Name:\t\(status.clusterName)")
                if options.output == .extended {
                    table.line("")
                    table.line("Address\tName")
                    for peer in status.peers.sorted(by: { $0.address < $1.address }) {
                        table.row([peer.address, peer.name])
                    }
                }
                print(table.text, terminator: "")
            }
        }
    }
}
