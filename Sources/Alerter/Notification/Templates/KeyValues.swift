import TextTemplate

/// Labels and annotations in templates, and what their methods give.
///
///     .CommonLabels                 alertname=Down, job=api       an unknown name is the empty text
///     .SortedPairs                  the pairs: alertname first, then by name; each has .Name and .Value
///     .Names  .Values               lists of texts, with .Join
///     .Remove (stringSlice "job")   without these names
extension TemplateValue {
    static func keyValues(_ pairs: [NotificationData.NamedText]) -> TemplateValue {
        let list = PairList(sorting: pairs)
        var map = TemplateMap(
            strings: Dictionary(pairs.map { ($0.name, $0.value) }) { $1 }, type: "template.KV",
            methods: [
                "SortedPairs": TemplateFunction { _ in .object(list) },
                "Names": TemplateFunction { _ in .object(TextList(list.pairs.map(\.name))) },
                "Values": TemplateFunction { _ in .object(TextList(list.pairs.map(\.value))) },
                "String": TemplateFunction { _ in .string(list.text) },
                "Remove": TemplateFunction([.type("[]string")]) { arguments in
                    let names = Set((arguments[0].elements ?? []).map(\.text))
                    return .keyValues(pairs.filter { !names.contains($0.name) })
                },
            ])
        map.printed = { _ in list.text }
        return .map(map)
    }
}

/// `.SortedPairs`.
struct PairList: TemplateObject {
    let pairs: [NotificationData.NamedText]

    init(sorting pairs: [NotificationData.NamedText]) {
        self.pairs = pairs.filter { $0.name == "alertname" } + pairs.filter { $0.name != "alertname" }
    }

    var typeName: String { "template.Pairs" }
    var text: String { pairs.map { "\($0.name)=\($0.value)" }.joined(separator: ", ") }
    var list: (elements: [TemplateValue], type: String)? { (pairs.map { .object($0) }, "[]template.Pair") }
    func field(_ name: String) -> TemplateValue? { nil }

    func method(_ name: String) -> TemplateFunction? {
        let pairs = pairs
        switch name {
        case "Names": return TemplateFunction { _ in .object(TextList(pairs.map(\.name))) }
        case "Values": return TemplateFunction { _ in .object(TextList(pairs.map(\.value))) }
        case "String":
            let text = text
            return TemplateFunction { _ in .string(text) }
        default: return nil
        }
    }
}

extension NotificationData.NamedText: TemplateObject {
    public var typeName: String { "template.Pair" }
    public var text: String { "{\(name) \(value)}" }
    public var identity: String? { "\(name)\u{ff}\(value)" }
    public func field(_ name: String) -> TemplateValue? {
        switch name {
        case "Name": .string(self.name)
        case "Value": .string(value)
        default: nil
        }
    }
}

/// `.Names` and `.Values`: fits where a list of strings is wanted.
struct TextList: TemplateObject {
    let texts: [String]
    init(_ texts: [String]) { self.texts = texts }

    var typeName: String { "template.Strings" }
    var text: String { "[" + texts.joined(separator: " ") + "]" }
    var list: (elements: [TemplateValue], type: String)? { (texts.map { .string($0) }, "[]string") }
    func field(_ name: String) -> TemplateValue? { nil }

    func method(_ name: String) -> TemplateFunction? {
        guard name == "Join" else { return nil }
        let texts = texts
        return TemplateFunction([.string]) { arguments in .string(texts.joined(separator: arguments[0].text)) }
    }
}
