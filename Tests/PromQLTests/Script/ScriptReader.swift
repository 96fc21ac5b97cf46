import Numbers
import PromQL

/// Reads a test script line by line.
///
/// Blank lines and lines that start with `#` end the body of a command; there are no comments behind text.
struct ScriptReader {
    private let name: String
    private let lines: [String]
    private var index = 0

    static func read(_ text: String, name: String) throws -> Script {
        var reader = ScriptReader(text, name: name)
        return Script(name: name, commands: try reader.commands())
    }

    private init(_ text: String, name: String) {
        self.name = name
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            let line = $0.trimmingBlanks
            return line.hasPrefix("#") ? "" : line
        }
    }

    private mutating func commands() throws -> [Script.Command] {
        var commands: [Script.Command] = []
        while index < lines.count {
            let line = lines[index]
            index += 1
            if line.isEmpty { continue }
            let word = line.prefix { $0 != " " && $0 != "\t" }.lowercased()
            if word == "clear" {
                commands.append(.clear)
            } else if word.hasPrefix("load") {
                commands.append(.load(try load(line)))
            } else if word.hasPrefix("eval") {
                commands.append(.evaluate(try evaluation(line)))
            } else {
                throw fault("unknown command \(word)")
            }
        }
        return commands
    }

    /// The next line of a body, or `nil` at its end.
    private mutating func bodyLine() -> String? {
        guard index < lines.count, !lines[index].isEmpty else { return nil }
        index += 1
        return lines[index - 1]
    }

    private func fault(_ message: String) -> ScriptError { ScriptError(script: name, line: index, message: message) }

    // MARK: - load

    private mutating func load(_ line: String) throws -> Script.Load {
        let words = line.words
        guard words.count == 2, ["load", "load_with_nhcb"].contains(words[0]) else { throw fault("expected load STEP") }
        var load = Script.Load(
            step: try duration(words[1]), series: [], addsNativeHistograms: words[0] == "load_with_nhcb")
        var starts: SeriesNotation.Starts?
        while let body = bodyLine() {
            if SeriesNotation.isStartTimestamps(body) {
                guard starts == nil else { throw fault("@st line without a series behind it") }
                do { starts = try SeriesNotation.starts(body) } catch { throw fault(error.message) }
                continue
            }
            let series = try self.series(body)
            if let starts {
                guard starts.labels == series.labels, starts.distances.count == series.values.count else {
                    throw fault("@st line does not fit the series behind it")
                }
                load.starts[series.labels] = starts.distances
            }
            starts = nil
            load.series.append(series)
        }
        guard starts == nil else { throw fault("@st line without a series behind it") }
        return load
    }

    // MARK: - eval

    private mutating func evaluation(_ line: String) throws -> Script.Evaluation {
        var rest = line[...]
        let command = rest.takeWord()
        let kind = rest.takeWord()
        let times: Script.Evaluation.Times
        switch kind {
        case "instant":
            try expect("at", in: &rest)
            times = .instant(try duration(rest.takeWord()))
        case "range":
            try expect("from", in: &rest)
            let start = try duration(rest.takeWord())
            try expect("to", in: &rest)
            let end = try duration(rest.takeWord())
            try expect("step", in: &rest)
            times = .range(start: start, end: end, step: try duration(rest.takeWord()))
        default: throw fault("expected instant or range, not \(kind)")
        }
        var result = Script.Evaluation(line: index, times: times, query: rest.trimmingBlanks)
        switch command {
        case "eval": break
        case "eval_fail": result.failure = .any
        case "eval_ordered": result.isOrdered = true
        case "eval_warn": result.warnings.wanted.append(.any)
        case "eval_info": result.infos.wanted.append(.any)
        default: throw fault("unknown command \(command)")
        }

        var series: [Script.Series] = []
        var window: (start: Int64, end: Int64, step: Int64)?
        while let body = bodyLine() {
            if body.hasPrefix("expect ") || body.hasPrefix("expected_fail") {
                try expectation(body, &result, &window)
            } else if let number = NumberText.parse(body, allowing: .go) {
                result.expected = .scalar(number)
            } else {
                series.append(try self.series(body))
            }
        }
        if let window {
            result.expected = .rangeVector(series, start: window.start, end: window.end, step: window.step)
        } else if case .series = result.expected {
            result.expected = .series(series)
        }
        return result
    }

    private func expectation(
        _ line: String, _ result: inout Script.Evaluation, _ window: inout (start: Int64, end: Int64, step: Int64)?
    ) throws {
        var rest = line[...]
        switch rest.takeWord() {
        case "expected_fail_message": result.failure = .text(rest.trimmingBlanks)
        case "expected_fail_regexp": result.failure = .regex(rest.trimmingBlanks)
        default:
            let subject = rest.takeWord()
            switch subject {
            case "ordered": result.isOrdered = true
            case "fail": result.failure = try note(rest.trimmingBlanks)
            case "warn": result.warnings.wanted.append(try note(rest.trimmingBlanks))
            case "info": result.infos.wanted.append(try note(rest.trimmingBlanks))
            case "no_warn": result.warnings.isForbidden = true
            case "no_info": result.infos.isForbidden = true
            case "string":
                do { result.expected = .string(try SeriesNotation.string(rest.trimmingBlanks)) } catch {
                    throw fault("cannot read the string")
                }
            case "range":
                try expect("vector", in: &rest)
                try expect("from", in: &rest)
                let start = try duration(rest.takeWord())
                try expect("to", in: &rest)
                let end = try duration(rest.takeWord())
                try expect("step", in: &rest)
                window = (start, end, try duration(rest.takeWord()))
            default: throw fault("unknown expectation \(subject)")
            }
        }
    }

    private func note(_ text: String) throws -> Script.Note {
        if text.isEmpty { return .any }
        for (prefix, make) in [("msg:", Script.Note.text), ("regex:", Script.Note.regex)]
        where text.hasPrefix(prefix) {
            return make(text.dropFirst(prefix.count).trimmingBlanks)
        }
        throw fault("expected msg: or regex:")
    }

    // MARK: - Words

    private func series(_ line: String) throws -> Script.Series {
        do { return try SeriesNotation.series(line) } catch { throw fault(error.message) }
    }

    private func duration(_ text: String) throws -> Int64 {
        do { return try DurationText.parse(text) } catch { throw fault(error.message) }
    }

    private func expect(_ word: String, in rest: inout Substring) throws {
        guard rest.takeWord() == word else { throw fault("expected \(word)") }
    }
}

extension StringProtocol {
    fileprivate var trimmingBlanks: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        let front = drop(while: isBlank)
        return String(front.reversed().drop(while: isBlank).reversed())
    }

    fileprivate var words: [String] { Substring(self).split { $0 == " " || $0 == "\t" }.map(String.init) }
}

extension Substring {
    fileprivate mutating func takeWord() -> String {
        self = drop { $0 == " " || $0 == "\t" }
        let word = prefix { $0 != " " && $0 != "\t" }
        self = dropFirst(word.count)
        return String(word)
    }
}
