import Numbers
import TSDB
import TextTemplate

extension TemplateValue {
    /// An unknown label is the empty text.
    static func labels(_ labels: Labels) -> TemplateValue {
        .map(TemplateMap(strings: Dictionary(labels.pairs.map { ($0.name, $0.value) }) { $1 }))
    }
}

/// What a rule's template sees as `.`.
struct AlertTemplateData: TemplateObject {
    let labels: TemplateValue
    let externalLabels: TemplateValue
    let externalURL: String
    let value: Double

    var typeName: String {
        "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"
    }

    var text: String {
        "{\(labels.text) \(externalLabels.text) \(externalURL) \(TemplateValue.float(value).text)}"
    }

    func field(_ name: String) -> TemplateValue? {
        switch name {
        case "Labels": labels
        case "ExternalLabels": externalLabels
        case "ExternalURL": .string(externalURL)
        case "Value": .float(value)
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
    let value: Double

    var typeName: String { Self.type }
    var text: String { "{\(TemplateValue.labels(labels).text) \(TemplateValue.float(value).text)}" }

    func field(_ name: String) -> TemplateValue? {
        switch name {
        case "Labels": .labels(labels)
        case "Value": .float(value)
        default: nil
        }
    }
}
