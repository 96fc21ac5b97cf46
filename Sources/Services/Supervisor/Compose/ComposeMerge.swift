import ConfigurationFile

/// Lays one service over another, as `extends` and a second file do.
///
///     base:  { environment: {A: 1, B: 2}, ports: ["1:1"], command: [a] }
///     over:  { environment: {B: 3},       ports: ["2:2"], command: [b] }
///     ────▶  { environment: {A: 1, B: 3}, ports: ["1:1", "2:2"], command: [b] }
///
/// Mappings are merged, lists put one behind the other, but commands replaced. Source: Compose Specification, “Merge and override”.
enum ComposeMerge {
    /// Lists that replace instead of growing.
    private static let replaced: Set<String> = ["command", "entrypoint", "test"]
    /// What may be written as a list and means a mapping.
    private static let mappings: Set<String> = ["environment", "labels", "depends_on", "networks", "build"]

    static func merge(_ base: YAMLNode, with over: YAMLNode, key: String = "") -> YAMLNode {
        if over.isNull { return base }
        let (base, over) = (normalized(base, key), normalized(over, key))
        switch (base.content, over.content) {
        case (.mapping(let below), .mapping(let above)):
            var entries = below
            for entry in above {
                if let index = entries.firstIndex(where: { $0.key == entry.key }) {
                    entries[index].value = merge(entries[index].value, with: entry.value, key: entry.key)
                    entries[index].position = entry.position
                } else {
                    entries.append(entry)
                }
            }
            return YAMLNode(.mapping(entries), at: over.position)
        case (.sequence(let below), .sequence(let above)) where !replaced.contains(key):
            return YAMLNode(.sequence(below + above), at: over.position)
        default: return over
        }
    }

    /// `[A=1, B]` becomes `{A: 1, B: }`; a build's context, too, has a name.
    static func normalized(_ node: YAMLNode, _ key: String) -> YAMLNode {
        guard mappings.contains(key) else { return node }
        switch node.content {
        case .mapping: return node
        case .scalar(_, _):
            guard key == "build", !node.isNull else { return node }
            return YAMLNode(.mapping([.init(key: "context", position: node.position, value: node)]), at: node.position)
        case .sequence(let items):
            var entries: [YAMLNode.Entry] = []
            for item in items {
                guard case .scalar(let text, _) = item.content else { return node }
                var name = text, value = YAMLNode(.scalar("", isPlain: true), at: item.position)
                if key == "environment" || key == "labels", let equals = text.firstIndex(of: "=") {
                    name = String(text[..<equals])
                    value = YAMLNode(
                        .scalar(String(text[text.index(after: equals)...]), isPlain: false), at: item.position)
                }
                entries.removeAll { $0.key == name }
                entries.append(.init(key: name, position: item.position, value: value))
            }
            return YAMLNode(.mapping(entries), at: node.position)
        }
    }
}
