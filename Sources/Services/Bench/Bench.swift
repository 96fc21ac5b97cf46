import PromQL
import TSDB

/// A whole run: data in, every case measured, rows out.
///
///     BenchPlan ─▶ Fleet ─┬▶ Database ─▶ Engine ───────────┬─▶ rows ─▶ Report
///                         └▶ remote write ─▶ another server ┘   the same queries, the answers compared
struct Bench {
    let plan: BenchPlan
    let others: [RemoteSubject]

    /// `note` hears what is being done.
    func run(note: (String) -> Void) async throws -> Report {
        note("inventing \(Units.grouped(plan.shape.maximumSampleCount)) samples")
        let database = Database.inMemory(clock: StillClock(time: plan.end))
        var fleet = Fleet(plan.shape)
        let load = try fleet.append(to: database)
        for other in others {
            note("sending them to \(other.address)")
            let sent = try await other.feed(plan.shape)
            guard sent == load.samples else { throw BenchError("\(sent) samples were sent, not \(load.samples)") }
        }
        let local = LocalSubject(database, engine: Engine(), plan: plan)
        var rows: [BenchRow] = []
        for group in plan.groups {
            note(group.title)
            switch group {
            case .storage: rows += try await StorageCases(database: database, load: load, plan: plan).rows()
            case .ingest: rows += try await IngestCases(plan: plan).rows()
            default:
                for query in QueryCase.all(of: group) {
                    note("\(group.title): \(query.name), \(query.kind.rawValue)")
                    rows.append(try await others.isEmpty ? local.row(query) : compared(query, local))
                }
            }
        }
        note("")
        return Report(
            plan: plan, load: load, rows: rows, statistics: database.statistics, others: others,
            peakBytes: peakResidentBytes())
    }

    /// Everybody through the API, JSON included, and everybody's answers beside ours.
    private func compared(_ query: QueryCase, _ local: LocalSubject) async throws -> BenchRow {
        var row = try await local.rowWithJSON(query)
        let call = APICall(query, plan: plan)
        let ours = try Answer(await local.api.ask(call), from: "minprom")
        for other in others {
            let theirs = try Answer(try await other.ask(call), from: other.name)
            let cost = try await other.cost(of: call, budget: plan.budget)
            row.others.append(
                OtherRow(name: other.name, cpu: cost.cpu, wall: cost.wall, comparison: AnswerComparison(ours, theirs)))
        }
        return row
    }
}
