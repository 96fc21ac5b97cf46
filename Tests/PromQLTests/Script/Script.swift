import PromQL
import TSDB

/// A PromQL test script: data, and what queries over it must answer.
///
///     load 10s
///       requests{path="/"}  0+10x30  stale
///
///     eval instant at 5m  rate(requests[1m])
///       {path="/"}  1
///
///     eval range from 0 to 1m step 30s  requests
///       requests{path="/"}  0 30 60
///
/// All times count from the epoch. The reader is `ScriptReader`, the runner `ScriptRunner`.
/// Source: the language of Prometheus' `promqltest`, as shared/promqltest/README.md describes it.
struct Script: Sendable {
    enum Command: Sendable {
        case clear
        case load(Load)
        case evaluate(Evaluation)
    }

    var name: String
    var commands: [Command]
}

extension Script {
    struct Load: Sendable {
        /// Milliseconds between the values of a series; the first one stands at 0.
        var step: Int64
        var series: [Series]
        /// `load_with_nhcb`: classic histograms are there a second time, as native ones.
        var addsNativeHistograms: Bool
        /// Distances to the starts of a series' counts, milliseconds, one per value.
        var starts: [Labels: [Int64?]] = [:]
    }

    typealias Series = SeriesNotation.Series
    typealias Item = SeriesNotation.Item

    struct Evaluation: Sendable {
        enum Times: Sendable {
            case instant(Int64)
            case range(start: Int64, end: Int64, step: Int64)
        }

        enum Expected: Sendable {
            /// Series in the order of the script; for an instant query with one value each.
            case series([Series])
            case scalar(Double)
            case string(String)
            /// A range vector as the answer of an instant query: series whose points stand at start, start + step, … end.
            case rangeVector([Series], start: Int64, end: Int64, step: Int64)
        }

        /// Line of the script, from 1.
        var line: Int
        var times: Times
        var query: String
        var isOrdered = false
        var failure: Note?
        var warnings = Notes()
        var infos = Notes()
        var expected = Expected.series([])
    }

    /// What is expected of the annotations of one kind.
    struct Notes: Sendable {
        var isForbidden = false
        var wanted: [Note] = []
    }

    /// A text to be met: nothing in particular, equal, or containing a match.
    enum Note: Sendable {
        case any
        case text(String)
        case regex(String)
    }
}

/// Where a script cannot be read.
struct ScriptError: Error, CustomStringConvertible {
    var script: String
    var line: Int
    var message: String

    var description: String { "\(script):\(line): \(message)" }
}
