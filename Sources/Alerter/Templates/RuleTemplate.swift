import PromQL
import TSDB
import TextTemplate

/// Labels and annotations of alerting rules as templates, filled in for one evaluation.
///
///     {{ $labels.instance }} has been down for {{ $value | humanizeDuration }}
///
///     $labels .Labels                     of the result that makes the alert, its metric name included
///     $value .Value                       of the same
///     $externalLabels .ExternalLabels     the server's
///     $externalURL .ExternalURL           where people find the server
///
/// A text without `{{` is its own result and costs a search for it. Others are read once per value of this type, however many
/// alerts they are filled in for.
///
/// Source: Prometheus, `template/template.go` and `rules/alerting.go`.
public struct RuleTemplate {
    private let externalLabels: TemplateValue
    private let externalURL: String
    private let questions: RuleFunctions.Questions
    private let readings: Readings

    /// `query` answers what templates ask, for the time `time`: it is what `now` says.
    public init(
        externalLabels: Labels, externalURL: String, at time: Timestamp,
        query: @escaping (String) throws(QueryError) -> QueryResult.Value
    ) {
        self.externalLabels = .labels(externalLabels)
        self.externalURL = externalURL
        let questions = RuleFunctions.Questions(query)
        self.questions = questions
        readings = Readings { RuleFunctions.all(externalURL: externalURL, now: time, questions: questions) }
    }

    /// Whether filling it in can give anything but the text itself.
    public static func isTemplate(_ text: String) -> Bool {
        var wasOpen = false
        for byte in text.utf8 {
            let isOpen = byte == UInt8(ascii: "{")
            if isOpen && wasOpen { return true }
            wasOpen = isOpen
        }
        return false
    }

    /// `name` is what messages call the template: `__alert_` and the rule's name.
    public func expand(
        _ template: String, name: String, labels: Labels, value: Double
    ) -> Result<String, TemplateError> {
        expand(template, name: name, labels: labels, value: .float(value))
    }

    func expand(
        _ template: String, name: String, labels: Labels, value: RuleValue
    ) -> Result<String, TemplateError> {
        guard Self.isTemplate(template) else { return .success(template) }
        let data = AlertTemplateData(
            labels: .labels(labels), externalLabels: externalLabels, externalURL: externalURL, value: value)
        switch readings.template(template, name: name) {
        case .failure(let error): return .failure(error)
        case .success(let set):
            questions.begin()
            do throws(TemplateError) {
                return .success(try set.fill(name, with: .object(data)))
            } catch {
                return .failure(TemplateError("error executing template \(name): \(error.message)"))
            }
        }
    }

    /// Why `template` cannot be read; `nil` where it can. For checking rule files: without data, so only its grammar and names.
    public static func check(_ template: String, name: String) -> TemplateError? {
        guard isTemplate(template) else { return nil }
        var set = TextTemplate(functions: RuleFunctions.unanswered)
        do throws(TemplateError) {
            try set.add(preamble + template, name: name)
            return nil
        } catch {
            return error
        }
    }

    /// In front of each template, on the same line: places in messages count it.
    private static let preamble =
        "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"

    /// Templates that were read, by name and text. Used from one thread at a time, as its owner is.
    private final class Readings {
        private struct Key: Hashable {
            var name: String
            var text: String
        }

        private let makeFunctions: () -> [String: TemplateFunction]
        private lazy var functions = makeFunctions()
        private var read: [Key: Result<TextTemplate, TemplateError>] = [:]

        init(_ makeFunctions: @escaping () -> [String: TemplateFunction]) { self.makeFunctions = makeFunctions }

        func template(_ text: String, name: String) -> Result<TextTemplate, TemplateError> {
            let key = Key(name: name, text: text)
            if let known = read[key] { return known }
            let result: Result<TextTemplate, TemplateError>
            var set = TextTemplate(functions: functions)
            do throws(TemplateError) {
                try set.add(RuleTemplate.preamble + text, name: name)
                result = .success(set)
            } catch {
                result = .failure(TemplateError("error parsing template \(name): \(error.message)"))
            }
            read[key] = result
            return result
        }
    }
}
