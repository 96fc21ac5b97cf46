// libyaml comes with the Yams package, and this is the only file that knows it. Yams' own tree hashes every key of a
// mapping, which aliases can make exponentially large; its events do not.
import CYaml

/// Makes a tree of a YAML document from libyaml's events.
///
///     bytes ─▶ libyaml: stream, document, mapping-start, scalar, alias … ─▶ YAMLNode
///
/// Bounded against hostile files: bytes, depth, and the number of nodes that aliases expand to ("a billion laughs" is nine
/// lines long).
public enum YAMLReader {
    public static let maximumBytes = 8 << 20
    public static let maximumDepth = 100
    /// Nodes after the expansion of aliases.
    public static let maximumNodes = 1_000_000
    /// Bytes of all scalars after the expansion of aliases: whoever reads them reads no more than this.
    public static let maximumScalarBytes = 64 << 20

    /// The one document in `text`; an empty file is an empty mapping.
    public static func read(_ text: [UInt8]) throws(ConfigError) -> YAMLNode {
        guard text.count <= maximumBytes else {
            throw ConfigError("the file has \(text.count) bytes; the limit is \(maximumBytes)")
        }
        var failure: ConfigError?
        var result = YAMLNode(.mapping([]))
        text.withUnsafeBufferPointer { bytes in
            let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
            defer { parser.deallocate() }
            guard yaml_parser_initialize(parser) == 1 else {
                failure = ConfigError("out of memory")
                return
            }
            defer { yaml_parser_delete(parser) }
            yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
            yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
            var builder = TreeBuilder(parser)
            do throws(ConfigError) { result = try builder.document() } catch { failure = error }
        }
        if let failure { throw failure }
        return result
    }
}

/// One pass over the events.
private struct TreeBuilder {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// Anchored nodes, with the number of nodes in them and of the bytes of their scalars.
    private var anchors: [String: (node: YAMLNode, weight: Int, bytes: Int)] = [:]
    private var nodes = 0
    private var bytes = 0

    init(_ parser: UnsafeMutablePointer<yaml_parser_t>) { self.parser = parser }

    /// An event, with what it carries copied out of libyaml's memory.
    private enum Event {
        case scalar(String, isPlain: Bool, anchor: String?)
        case sequenceStart(anchor: String?), sequenceEnd
        case mappingStart(anchor: String?), mappingEnd
        case alias(String)
        case documentStart, documentEnd, streamStart, streamEnd
    }

    mutating func document() throws(ConfigError) -> YAMLNode {
        _ = try next()
        let first = try next()
        guard case .documentStart = first.event else { return YAMLNode(.mapping([])) }
        let root = try node(try next(), depth: 0)
        _ = try next()
        let end = try next()
        guard case .streamEnd = end.event else {
            throw ConfigError("expected one document, found another", at: end.position)
        }
        return root
    }

    private mutating func next() throws(ConfigError) -> (event: Event, position: YAMLPosition) {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            let mark = parser.pointee.problem_mark
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "cannot be read"
            throw ConfigError(
                "yaml: \(problem)", at: YAMLPosition(line: Int(mark.line) + 1, column: Int(mark.column) + 1))
        }
        defer { yaml_event_delete(&event) }
        let position = YAMLPosition(line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: Int(scalar.length))
            // An explicit tag such as `!!str` makes it text.
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.plain_implicit == 1
            return (.scalar(String(decoding: bytes, as: UTF8.self), isPlain: isPlain, anchor: Self.text(scalar.anchor)), position)
        case YAML_SEQUENCE_START_EVENT: return (.sequenceStart(anchor: Self.text(event.data.sequence_start.anchor)), position)
        case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, position)
        case YAML_MAPPING_START_EVENT: return (.mappingStart(anchor: Self.text(event.data.mapping_start.anchor)), position)
        case YAML_MAPPING_END_EVENT: return (.mappingEnd, position)
        case YAML_ALIAS_EVENT: return (.alias(Self.text(event.data.alias.anchor) ?? ""), position)
        case YAML_DOCUMENT_START_EVENT: return (.documentStart, position)
        case YAML_DOCUMENT_END_EVENT: return (.documentEnd, position)
        case YAML_STREAM_START_EVENT: return (.streamStart, position)
        default: return (.streamEnd, position)
        }
    }

    private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        bytes.map { String(cString: $0) }
    }

    private mutating func count(_ additional: Int, bytes more: Int, at position: YAMLPosition) throws(ConfigError) {
        nodes += additional
        bytes += more
        if bytes > YAMLReader.maximumScalarBytes {
            throw ConfigError("more than \(YAMLReader.maximumScalarBytes) bytes of text, aliases expanded", at: position)
        }
        if nodes > YAMLReader.maximumNodes {
            throw ConfigError("more than \(YAMLReader.maximumNodes) values, aliases expanded", at: position)
        }
    }

    private mutating func node(
        _ first: (event: Event, position: YAMLPosition), depth: Int
    ) throws(ConfigError) -> YAMLNode {
        let position = first.position
        guard depth < YAMLReader.maximumDepth else {
            throw ConfigError("nested deeper than \(YAMLReader.maximumDepth) levels", at: position)
        }
        let before = (nodes: nodes, bytes: bytes)
        try count(1, bytes: 0, at: position)
        let result: YAMLNode
        let anchor: String?
        switch first.event {
        case .scalar(let text, let isPlain, let name):
            try count(0, bytes: text.utf8.count, at: position)
            result = YAMLNode(.scalar(text, isPlain: isPlain), at: position)
            anchor = name
        case .alias(let name):
            guard let known = anchors[name] else { throw ConfigError("yaml: unknown anchor '\(name)' referenced", at: position) }
            try count(known.weight - 1, bytes: known.bytes, at: position)
            // The tree below an alias is as deep as it was where it stood.
            guard depth + known.node.depth <= YAMLReader.maximumDepth else {
                throw ConfigError("nested deeper than \(YAMLReader.maximumDepth) levels", at: position)
            }
            return known.node
        case .sequenceStart(let name):
            var items: [YAMLNode] = []
            while true {
                let item = try next()
                if case .sequenceEnd = item.event { break }
                items.append(try node(item, depth: depth + 1))
            }
            result = YAMLNode(.sequence(items), at: position)
            anchor = name
        case .mappingStart(let name):
            result = YAMLNode(.mapping(try entries(depth)), at: position)
            anchor = name
        case .sequenceEnd, .mappingEnd, .documentStart, .documentEnd, .streamStart, .streamEnd:
            throw ConfigError("yaml: unexpected end", at: position)
        }
        if let anchor { anchors[anchor] = (result, nodes - before.nodes, bytes - before.bytes) }
        return result
    }

    private mutating func entries(_ depth: Int) throws(ConfigError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var lines: [String: Int] = [:]
        var merged: [YAMLNode.Entry] = []
        while true {
            let first = try next()
            if case .mappingEnd = first.event { break }
            guard case .scalar(let key, _) = try node(first, depth: depth + 1).content else {
                throw ConfigError("a key must be text", at: first.position)
            }
            let value = try node(try next(), depth: depth + 1)
            if key == "<<" {
                merged.append(contentsOf: try Self.mergeable(value))
                continue
            }
            if let line = lines[key] {
                throw ConfigError("mapping key \"\(key)\" already defined at line \(line)", at: first.position)
            }
            lines[key] = first.position.line
            entries.append(YAMLNode.Entry(key: key, position: first.position, value: value))
        }
        // `<<: *base`: what is written here wins, then the first of the merged mappings.
        for entry in merged where lines[entry.key] == nil {
            lines[entry.key] = entry.position.line
            entries.append(entry)
        }
        return entries
    }

    private static func mergeable(_ node: YAMLNode) throws(ConfigError) -> [YAMLNode.Entry] {
        switch node.content {
        case .mapping(let entries): return entries
        case .sequence(let items):
            var all: [YAMLNode.Entry] = []
            for item in items {
                guard case .mapping(let entries) = item.content else {
                    throw ConfigError("yaml: map merge requires map or sequence of maps as the value", at: item.position)
                }
                all.append(contentsOf: entries)
            }
            return all
        case .scalar:
            throw ConfigError("yaml: map merge requires map or sequence of maps as the value", at: node.position)
        }
    }
}

extension YAMLNode {
    /// Levels of the tree; bounded by `maximumDepth`.
    fileprivate var depth: Int {
        switch content {
        case .scalar: return 1
        case .sequence(let items): return 1 + (items.map(\.depth).max() ?? 0)
        case .mapping(let entries): return 1 + (entries.map(\.value.depth).max() ?? 0)
        }
    }
}
