import TSDB

/// All rows as a table for people or as JSON for machines.
struct Report {
    let plan: BenchPlan
    let load: LoadReport
    let rows: [BenchRow]
    let statistics: HeadStatistics
    let others: [RemoteSubject]
    let peakBytes: Int

    /// What was measured on what, and how to read it; at most 100 columns.
    var introduction: String {
        let shape = plan.shape
        var text = """
            \(Units.grouped(shape.seriesCount)) series a metric, \(Units.grouped(shape.instanceCount)) instances, \
            \(Units.grouped(load.samples)) samples; \(plan.stepCount) steps of \(Units.digits(Double(plan.step) / 1000)) s
            Times are medians. A point is a value of the answer, a sample is one that was read.

            """
        for other in others {
            text += "\(other.name) is version \(other.version) at \(other.address); its CPU is its process' mean.\n"
        }
        if !others.isEmpty { text += "Everybody renders JSON; ours is asked without a socket.\n" }
        return text
    }

    /// Beside two servers there is no room for them.
    private var hasDetails: Bool { others.count < 2 }

    /// The table, with the columns that the rows have something for.
    func table() -> Table {
        var columns: [(title: String, alignment: Table.Alignment)] = [
            ("", .left), ("", .left), ("points", .right), ("CPU", .right),
        ]
        if others.isEmpty { columns.append(("wall", .right)) }
        if hasDetails { columns += [("a point", .right), ("a sample", .right)] }
        if others.isEmpty { columns += [("samples/s", .right), ("allocs", .right)] }
        for other in others { columns += [(other.name, .right), ("ours ÷", .right), ("answers", .left)] }
        var table = Table(columns)
        var group: CaseGroup?
        for row in rows {
            if row.group != group { table.add(heading: row.group.title) }
            group = row.group
            table.add(row: cells(row, others: others.count))
        }
        return table
    }

    private func cells(_ row: BenchRow, others: Int) -> [Table.Cell] {
        var cells: [Table.Cell] = [
            .init(row.name), .init(row.kind, .faint), .init(Units.grouped(row.units)),
            .init(Units.time(nanoseconds: row.measurement.median.cpu), .strong),
        ]
        if others == 0 { cells.append(.init(Units.time(nanoseconds: row.measurement.median.wall))) }
        if hasDetails {
            cells.append(.init(Units.time(nanoseconds: row.costPerUnit)))
            cells.append(.init(Units.time(nanoseconds: row.costPerSample)))
        }
        if others == 0 {
            cells.append(.init(row.samples == 0 ? "–" : Units.count(row.samplesPerSecond)))
            cells.append(.init(row.allocations.map { Units.grouped($0.calls) } ?? "–"))
        }
        for index in 0..<others {
            guard index < row.others.count else {
                cells += [.init(""), .init(""), .init("")]
                continue
            }
            let other = row.others[index]
            let ratio = other.ratio(of: row.measurement)
            cells.append(.init(Units.time(nanoseconds: other.cpu ?? other.wall) + (other.cpu == nil ? " wall" : "")))
            cells.append(.init(Units.fixed(ratio, decimals: ratio < 0.1 ? 3 : 2), ratio <= 1 ? .good : .bad))
            cells.append(other.comparison.cell)
        }
        return cells
    }

    /// What stands below the table: differences in full, and what the process came to.
    var footnotes: String {
        var text = ""
        for row in rows {
            for other in row.others {
                switch other.comparison {
                case .equal: break
                case .close(let count, let error):
                    text +=
                        "\(row.name), \(row.kind): \(count) values differ from \(other.name)'s, at most by \(error)\n"
                case .different(let first): text += "\(row.name), \(row.kind), against \(other.name): \(first)\n"
                }
            }
        }
        if statistics.sampleCount > 0 {
            let chunks = Double(statistics.chunkArenaBytes) / Double(statistics.sampleCount)
            let names = statistics.labelArenaBytes / max(1, statistics.seriesCount)
            text += "Held in memory: \(Units.digits(chunks)) B a sample in chunks, \(names) B a series in names\n"
        }
        return text + "Most memory ever held, data and answers: \(Units.bytes(Double(peakBytes)))\n"
    }
}

extension AnswerComparison {
    var cell: Table.Cell {
        switch self {
        case .equal: return .init("equal", .good)
        case .close(_, let error): return .init("±\(Units.power(error))", .good)
        case .different: return .init("differ", .bad)
        }
    }
}
