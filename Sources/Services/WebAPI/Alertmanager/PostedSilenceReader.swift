import Alerter
import JSON
import NIOCore
import Numbers
import TSDB

/// Reads the body of `POST /api/v2/silences`.
///
///     {"matchers":[{"name":"alertname","value":"Down","isRegex":false,"isEqual":true}],
///      "startsAt":"…","endsAt":"…","createdBy":"ada","comment":"known"}
///
/// Source: Alertmanager, `api/v2/openapi.yaml`, `postableSilence`.
enum PostedSilenceReader {
    static func read(_ body: ByteBuffer) throws(V2Failure) -> SilenceDraft {
        guard body.readableBytes > 0 else { throw .required("silence") }
        var members = Members()
        var failure: V2Failure?
        body.withUnsafeReadableBytes { bytes in
            var reader = JSONReader(bytes, maximumDepth: 16)
            do throws(JSONError) {
                try members.read(&reader)
                try reader.finish()
            } catch {
                failure = .unreadable("silence", error.description)
            }
        }
        if let failure { throw failure }
        // In the order in which upstream checks them.
        guard let comment = members.comment else { throw .required("comment") }
        guard let createdBy = members.createdBy else { throw .required("createdBy") }
        guard let endsAt = members.endsAt else { throw .required("endsAt") }
        guard let posted = members.matchers else { throw .required("matchers") }
        guard !posted.isEmpty else {
            throw .refused(code: 612, "matchers in body should have at least 1 items", .unprocessableContent)
        }
        var matchers: [SilenceMatcher] = []
        for (index, matcher) in posted.enumerated() {
            guard let matcher else { throw .required("matchers.\(index)") }
            guard let isRegex = matcher.isRegex else { throw .required("matchers.\(index).isRegex") }
            guard let name = matcher.name else { throw .required("matchers.\(index).name") }
            guard let value = matcher.value else { throw .required("matchers.\(index).value") }
            let kind: Matcher.Kind = matcher.isEqual ?? true ? (isRegex ? .regex : .equal) : (isRegex ? .notRegex : .notEqual)
            matchers.append(SilenceMatcher(kind, name: name, value: value))
        }
        guard let startsAt = members.startsAt else { throw .required("startsAt") }
        return SilenceDraft(
            id: members.id, matcherSets: [matchers], startsAt: startsAt, endsAt: endsAt, createdBy: createdBy, comment: comment,
            annotations: members.annotations)
    }

    /// What was written, before it is known to be complete.
    private struct Members {
        struct MatcherMembers {
            var name: String?, value: String?, isRegex: Bool?, isEqual: Bool?
        }

        static let maximumMatchers = 1_000

        var id = "", comment: String?, createdBy: String?, startsAt: Timestamp?, endsAt: Timestamp?
        var matchers: [MatcherMembers?]?
        var annotations = Annotations()

        mutating func read(_ reader: inout JSONReader) throws(JSONError) {
            try reader.beginObject()
            while let key = try reader.nextKey() {
                if try reader.kind() == .null {
                    try reader.null()
                    continue
                }
                switch key {
                case "id": id = try reader.string()
                case "comment": comment = try reader.string()
                case "createdBy": createdBy = try reader.string()
                case "startsAt": startsAt = try time(&reader)
                case "endsAt": endsAt = try time(&reader)
                case "matchers": matchers = try list(&reader)
                case "annotations":
                    try reader.beginObject()
                    while let name = try reader.nextKey() { annotations[name] = try reader.string() }
                default: try reader.skip()
                }
            }
        }

        private func time(_ reader: inout JSONReader) throws(JSONError) -> Timestamp {
            guard let milliseconds = TimeText.parse(try reader.string()) else {
                throw reader.error("not a time in the form of RFC 3339")
            }
            return Timestamp(milliseconds: milliseconds)
        }

        private func list(_ reader: inout JSONReader) throws(JSONError) -> [MatcherMembers?] {
            var result: [MatcherMembers?] = []
            try reader.beginArray()
            while try reader.nextElement() {
                guard result.count < Self.maximumMatchers else { throw reader.error("too many matchers") }
                if try reader.kind() == .null {
                    try reader.null()
                    result.append(nil)
                    continue
                }
                var matcher = MatcherMembers()
                try reader.beginObject()
                while let key = try reader.nextKey() {
                    if try reader.kind() == .null {
                        try reader.null()
                        continue
                    }
                    switch key {
                    case "name": matcher.name = try reader.string()
                    case "value": matcher.value = try reader.string()
                    case "isRegex": matcher.isRegex = try reader.bool()
                    case "isEqual": matcher.isEqual = try reader.bool()
                    default: try reader.skip()
                    }
                }
                result.append(matcher)
            }
            return result
        }
    }
}
