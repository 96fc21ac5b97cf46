import ConfigurationFile

/// Makes the paths of one file absolute, before it is laid over another: `./prometheus` is relative to the file it stands in.
enum ComposePaths {
    static func absolute(_ root: YAMLNode, from directory: String) -> YAMLNode {
        guard case .mapping(var top) = root.content else { return root }
        for index in top.indices {
            switch top[index].key {
            case "services": top[index].value = each(top[index].value) { service($0, directory) }
            case "secrets":
                top[index].value = each(top[index].value) { secret in
                    guard let file = secret.entry("file") else { return secret }
                    return secret.replacing("file", path(file, directory))
                }
            default: continue
            }
        }
        return YAMLNode(.mapping(top), at: root.position)
    }

    private static func each(_ node: YAMLNode, _ change: (YAMLNode) -> YAMLNode) -> YAMLNode {
        guard case .mapping(var entries) = node.content else { return node }
        for index in entries.indices { entries[index].value = change(entries[index].value) }
        return YAMLNode(.mapping(entries), at: node.position)
    }

    private static func service(_ node: YAMLNode, _ directory: String) -> YAMLNode {
        var node = node
        if let volumes = node.entry("volumes"), case .sequence(let items) = volumes.content {
            let changed = items.map { item in
                if let source = item.entry("source") {
                    let isBind = item.entry("type").map { $0.isScalar("bind") } ?? false
                    return isBind ? item.replacing("source", path(source, directory)) : item
                }
                guard case .scalar(let text, let isPlain) = item.content, text.hasPrefix(".") || text.hasPrefix("~")
                else { return item }
                let source = text.prefix { $0 != ":" }
                return YAMLNode(
                    .scalar(
                        FilePath.absolute(String(source), from: directory) + text[source.endIndex...], isPlain: isPlain),
                    at: item.position)
            }
            node = node.replacing("volumes", YAMLNode(.sequence(changed), at: volumes.position))
        }
        if let files = node.entry("env_file") {
            switch files.content {
            case .sequence(let items):
                let changed = items.map { item in
                    item.entry("path").map { item.replacing("path", path($0, directory)) } ?? path(item, directory)
                }
                node = node.replacing("env_file", YAMLNode(.sequence(changed), at: files.position))
            case .scalar, .mapping: node = node.replacing("env_file", path(files, directory))
            }
        }
        return node
    }

    private static func path(_ node: YAMLNode, _ directory: String) -> YAMLNode {
        guard case .scalar(let text, let isPlain) = node.content, !node.isNull else { return node }
        return YAMLNode(.scalar(FilePath.absolute(text, from: directory), isPlain: isPlain), at: node.position)
    }
}

// MARK: Walking the tree

extension YAMLNode {
    /// The value of a key; `nil` where it is not written or null, or this is no mapping.
    func entry(_ key: String) -> YAMLNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key && !$0.value.isNull }?.value
    }

    func mapped(_ what: String) throws(ConfigError) -> [Entry] {
        if isNull { return [] }
        guard case .mapping(let entries) = content else { throw ConfigError("\(what) must be a mapping", at: position) }
        return entries
    }

    /// A list; one value is a list of one.
    func listed(_ what: String) throws(ConfigError) -> [YAMLNode] {
        if isNull { return [] }
        switch content {
        case .sequence(let items): return items
        case .scalar: return [self]
        case .mapping: throw ConfigError("\(what) must be a list", at: position)
        }
    }

    func scalar(_ what: String) throws(ConfigError) -> String {
        guard case .scalar(let text, _) = content else { throw ConfigError("\(what) must be text", at: position) }
        return text
    }

    func isScalar(_ text: String) -> Bool {
        if case .scalar(let own, _) = content { own == text } else { false }
    }

    func replacing(_ key: String, _ value: YAMLNode) -> YAMLNode {
        guard case .mapping(var entries) = content else { return self }
        if let index = entries.firstIndex(where: { $0.key == key }) {
            entries[index].value = value
        } else {
            entries.append(Entry(key: key, position: value.position, value: value))
        }
        return YAMLNode(.mapping(entries), at: position)
    }

    func without(_ key: String) -> YAMLNode {
        guard case .mapping(let entries) = content else { return self }
        return YAMLNode(.mapping(entries.filter { $0.key != key }), at: position)
    }
}
