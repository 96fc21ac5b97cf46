import HTTPServer
import NIOCore
import PromQL
import TSDB

/// Explanations as JSON: the tree for programs, and the same as lines for people with `curl`.
///
///     {"mode":"analyze","text":["query …","└─ sum …"],"tree":{"title":"query","detail":"…","measures":{…},"children":[…]}}
extension JSONText {
    mutating func append(_ explanation: Explanation, mode: StaticString) {
        append("{\"mode\":\"")
        append(mode)
        append("\",\"text\":")
        append(lines: explanation.lines)
        append(",\"tree\":")
        append(explanation)
        append("}")
    }

    mutating func append(lines: [String]) {
        append("[")
        for (index, line) in lines.enumerated() {
            if index > 0 { append(",") }
            appendQuoted(line)
        }
        append("]")
    }

    private mutating func append(_ node: Explanation) {
        append("{\"title\":")
        appendQuoted(node.title)
        append(",\"detail\":")
        appendQuoted(node.detail)
        append(place: node.place)
        if let measures = node.measures { append(measures) }
        append(",\"children\":[")
        for (index, child) in node.children.enumerated() {
            if index > 0 { append(",") }
            append(child)
        }
        append("]}")
    }

    /// `,"place":[10,42]`: UTF-8 offsets into the query.
    private mutating func append(place: Range<Int>?) {
        guard let place else { return }
        append(",\"place\":[")
        append(place.lowerBound)
        append(",")
        append(place.upperBound)
        append("]")
    }

    private mutating func append(_ measures: Explanation.Measures) {
        append(",\"measures\":{\"series\":")
        append(measures.series)
        append(",\"columns\":")
        append(measures.columns)
        append(",\"points\":")
        append(measures.points)
        append(",\"nanoseconds\":")
        append(measures.nanoseconds)
        append(",\"ownNanoseconds\":")
        append(measures.ownNanoseconds)
        if let storage = measures.storage {
            append(",\"storage\":{\"samples\":")
            append(storage.samples)
            append(",\"chunks\":")
            append(storage.chunks)
            append(",\"bytes\":")
            append(storage.bytes)
            append(",\"selectNanoseconds\":")
            append(storage.selecting)
            append(",\"decodeNanoseconds\":")
            append(storage.decoding)
            append("}")
        }
        append("}")
    }
}

// MARK: One point

extension JSONText {
    mutating func append(_ derivation: Derivation) {
        append("{\"title\":")
        appendQuoted(derivation.title)
        append(",\"expression\":")
        appendQuoted(derivation.expression)
        append(place: derivation.place)
        append(",\"metric\":")
        append(derivation.labels)
        append(",\"time\":")
        appendTime(milliseconds: derivation.time.milliseconds)
        append(",\"value\":")
        appendSampleValue(derivation.value)
        append(",\"steps\":[")
        for (index, step) in derivation.steps.enumerated() {
            if index > 0 { append(",") }
            append(step)
        }
        append("],\"samples\":[")
        for (index, sample) in derivation.samples.enumerated() {
            if index > 0 { append(",") }
            append("[")
            appendTime(milliseconds: sample.time.milliseconds)
            append(",")
            appendSampleValue(sample.value)
            append(",")
            appendQuoted(sample.note)
            append("]")
        }
        append("],\"omittedSamples\":")
        append(derivation.omittedSamples)
        append(",\"inputs\":[")
        for (index, input) in derivation.inputs.enumerated() {
            if index > 0 { append(",") }
            append(input)
        }
        append("],\"omittedInputs\":")
        append(derivation.omittedInputs)
        append("}")
    }

    private mutating func append(_ step: Derivation.Step) {
        append("{\"name\":")
        appendQuoted(step.name)
        append(",\"formula\":")
        appendQuoted(step.formula)
        append(",\"note\":")
        appendQuoted(step.note)
        if let value = step.value {
            append(",\"value\":")
            appendSampleValue(value)
        }
        append("}")
    }
}
