import Histograms
import Numbers
import TSDB
import TextTemplate

extension TemplateValue {
    /// An unknown label is the empty text.
    static func labels(_ labels: Labels) -> TemplateValue {
        .map(TemplateMap(strings: Dictionary(labels.pairs.map { ($0.name, $0.value) }) { $1 }))
    }
}

/// What a series of a result has: a number, or a native histogram.
enum RuleValue: Sendable {
    case float(Double)
    case histogram(FloatHistogram)

    var forTemplates: TemplateValue {
        switch self {
        case .float(let value): .float(value)
        case .histogram(let histogram): .object(TemplateHistogram(histogram))
        }
    }
}

/// A native histogram in a template: printed as upstream prints it, `{count:3, sum:10, (1,2]:3}`; no number to compute with.
struct TemplateHistogram: TemplateObject {
    private let histogram: FloatHistogram

    init(_ histogram: FloatHistogram) { self.histogram = histogram }

    var typeName: String { "*histogram.FloatHistogram" }
    var text: String { histogram.description }

    func field(_ name: String) -> TemplateValue? {
        switch name {
        case "Count": .float(histogram.count)
        case "Sum": .float(histogram.sum)
        case "Schema": .integer(Int64(histogram.schema))
        case "ZeroThreshold": .float(histogram.zeroThreshold)
        case "ZeroCount": .float(histogram.zeroCount)
        default: nil
        }
    }
}

/// What a rule's template sees as `.`.
struct AlertTemplateData: TemplateObject {
    let labels: TemplateValue
    let externalLabels: TemplateValue
    let externalURL: String
    let value: RuleValue

    var typeName: String {
        "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"
    }

    var text: String {
        "{\(labels.text) \(externalLabels.text) \(externalURL) \(value.forTemplates.text)}"
    }

    func field(_ name: String) -> TemplateValue? {
        switch name {
        case "Labels": labels
        case "ExternalLabels": externalLabels
        case "ExternalURL": .string(externalURL)
        case "Value": value.forTemplates
        default: nil
        }
    }
}

/// One sample of what `query` answers: `.Labels`, `.Value`.
struct QuerySample: TemplateObject {
    static let type = "*template.sample"
    /// The type of a list of them.
    static let listType = "template.queryResult"

    let labels: Labels
    let value: RuleValue

    var typeName: String { Self.type }
    var text: String { "{\(TemplateValue.labels(labels).text) \(value.forTemplates.text)}" }

    func field(_ name: String) -> TemplateValue? {
        switch name {
        case "Labels": .labels(labels)
        case "Value": value.forTemplates
        default: nil
        }
    }
}
