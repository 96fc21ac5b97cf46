import ArgumentParser
import Incidents
import JSON

/// `minprom smoke`: is the whole stack there, and does it do what it is for? A row per check; the last ones break the api for a while.
///
///     minprom smoke                  about two and a half minutes; exit code 0 only if every row is ok
///     minprom smoke --quick          without the incident
///     minprom smoke --footprint      what every process of the stack costs (a stack of `minprom up`)
struct SmokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "smoke", abstract: "Check that the running stack works.")

    @Flag(help: "Only memory and processor time of each service.")
    var footprint = false

    @Flag(help: "Leave out the incident that the bot has to heal.")
    var quick = false

    @OptionGroup(title: "Where the stack is") var places: IncidentPlaces

    @Option(name: .customLong("alertmanager-url"), help: "Who sends notifications.")
    var alertmanagerURL = "http://localhost:9093"

    func run() async throws {
        let client = StackClient()
        let checks = SmokeChecks(addresses: places.addresses(), alertmanager: alertmanagerURL, client: client)
        let isGood = footprint ? await printFootprint(checks) : await smoke(checks)
        await client.shutdown()
        if !isGood { throw ExitCode(1) }
    }

    private func smoke(_ checks: SmokeChecks) async -> Bool {
        var isGood = true
        for check in SmokeChecks.all {
            let finding: String
            var isOK = true
            do throws(IncidentError) { finding = try await check.run(checks) } catch {
                finding = error.message
                isOK = false
            }
            isGood = isGood && isOK
            Self.row(check.name, isOK, finding)
        }
        guard !quick else { return isGood }
        print("\nan incident, from fault to cure:")
        do {
            var incident = try IncidentCommand.parse(["latency", "--watch"])
            incident.places = places
            try await incident.run()
            Self.row("alert, bot, cure", true, "fired, told, healed, resolved")
        } catch {
            isGood = false
            Self.row("alert, bot, cure", false, "see above")
        }
        return isGood
    }

    private static func row(_ name: String, _ isOK: Bool, _ finding: String) {
        print((isOK ? "ok    " : "FAIL  ") + name + String(repeating: " ", count: max(1, 26 - name.utf8.count)) + finding)
    }

    private func printFootprint(_ checks: SmokeChecks) async -> Bool {
        let services: [SmokeChecks.Service]
        do throws(IncidentError) { services = try await checks.services() } catch {
            Self.row("services", false, error.message)
            return false
        }
        var total = 0
        print("service              RSS MiB  PSS MiB   CPU s")
        for service in services {
            guard let pid = service.pid, let cost = Footprint(tree: pid) else { continue }
            if service.name != "postgres_db" { total += cost.pss }
            let columns = [(cost.rss >> 10).description, (cost.pss >> 10).description, LoadReport.fixed(cost.cpuSeconds, 1)]
            print(
                service.name + String(repeating: " ", count: max(1, 20 - service.name.utf8.count))
                    + columns.map { String(repeating: " ", count: max(1, 8 - $0.utf8.count)) + $0 + " " }.joined())
        }
        print("all but the database: \(total >> 10) MiB (the aim is 150); memory shared by several is counted once, in parts (PSS)")
        return true
    }
}
