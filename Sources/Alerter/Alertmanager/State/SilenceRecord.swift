import RegularExpression
import TSDB

/// A silence as the file `silences` holds it: upstream's `MeshSilence`, so that files go both ways.
///
///     MeshSilence   1 silence   2 expires_at
///     Silence       1 id   2 matchers (the first set again, for old readers)   3 starts_at   4 ends_at   5 updated_at
///                   7 comments (old)   8 created_by   9 comment   10 annotations   11 matcher_sets
///     Matcher       1 type (0 =, 1 =~, 2 !=, 3 !~)   2 name   3 pattern
///
/// Source: Alertmanager, `silence/silencepb/silence.proto`.
struct SilenceRecord: Sendable, Equatable {
    var silence: Silence
    /// When it may be forgotten.
    var expiresAt: Timestamp

    /// `repeatsFirstSet`: as it is written; without, as upstream measures its size.
    func encoded(repeatsFirstSet: Bool = true) -> [UInt8] {
        var inner = ProtobufWriter()
        inner.text(1, silence.id)
        if repeatsFirstSet { for matcher in silence.matchers { inner.message(2, Self.encoded(matcher)) } }
        inner.timestamp(3, silence.startsAt)
        inner.timestamp(4, silence.endsAt)
        inner.timestamp(5, silence.updatedAt)
        inner.text(8, silence.createdBy)
        inner.text(9, silence.comment)
        for pair in silence.annotations.pairs {
            var entry = ProtobufWriter()
            // Of a map's entry both parts are always written.
            entry.message(1, Array(pair.name.utf8))
            entry.message(2, Array(pair.value.utf8))
            inner.message(10, entry.bytes)
        }
        for set in silence.matcherSets {
            var writer = ProtobufWriter()
            for matcher in set { writer.message(1, Self.encoded(matcher)) }
            inner.message(11, writer.bytes)
        }
        inner.raw(silence.unknownFields)
        var outer = ProtobufWriter()
        outer.message(1, inner.bytes)
        outer.timestamp(2, expiresAt)
        return outer.bytes
    }

    private static func encoded(_ matcher: Matcher) -> [UInt8] {
        var writer = ProtobufWriter()
        let type: UInt64 =
            switch matcher.kind {
            case .equal: 0
            case .regex: 1
            case .notEqual: 2
            case .notRegex: 3
            }
        writer.number(1, type)
        writer.text(2, matcher.name)
        writer.text(3, matcher.value)
        return writer.bytes
    }

    init(_ silence: Silence, expiresAt: Timestamp) {
        self.silence = silence
        self.expiresAt = expiresAt
    }

    /// Strict in what a whole record must have, so that damage is not taken for one.
    init(decoding bytes: ArraySlice<UInt8>) throws(TSDBError) {
        var reader = ProtobufReader(bytes)
        var inner: ArraySlice<UInt8>?
        var expiry: Timestamp?
        while let field = try reader.next() {
            switch field.number {
            case 1 where inner == nil: inner = try field.message()
            case 2 where expiry == nil: expiry = try field.timestamp()
            case 1, 2: throw TSDBError(.corruption, "field \(field.number) comes twice")
            default: break
            }
        }
        guard let inner, let expiry else { throw TSDBError(.corruption, "no silence, or no end of its keeping") }
        silence = try Self.silence(inner)
        expiresAt = expiry
    }

    private static func silence(_ bytes: ArraySlice<UInt8>) throws(TSDBError) -> Silence {
        var reader = ProtobufReader(bytes)
        var silence = Silence(
            id: "", matcherSets: [], startsAt: .min, endsAt: .min, updatedAt: Timestamp(milliseconds: 0))
        var oldMatchers: [Matcher] = []
        var hasOldComment = false
        while let field = try reader.next() {
            switch field.number {
            case 1: silence.id = try field.text()
            case 2: oldMatchers.append(try matcher(try field.message()))
            case 3: silence.startsAt = try field.timestamp()
            case 4: silence.endsAt = try field.timestamp()
            case 5: silence.updatedAt = try field.timestamp()
            case 7 where !hasOldComment:
                hasOldComment = true
                var old = ProtobufReader(try field.message())
                while let part = try old.next() {
                    if part.number == 1 { silence.createdBy = try part.text() }
                    if part.number == 2 { silence.comment = try part.text() }
                }
            case 7: break
            case 8: silence.createdBy = try field.text()
            case 9: silence.comment = try field.text()
            case 10:
                var entry = ProtobufReader(try field.message())
                var name = "", value = ""
                while let part = try entry.next() {
                    if part.number == 1 { name = try part.text() }
                    if part.number == 2 { value = try part.text() }
                }
                silence.annotations[name] = value
            case 11:
                var set: [Matcher] = []
                var parts = ProtobufReader(try field.message())
                while let part = try parts.next() {
                    if part.number == 1 { set.append(try matcher(try part.message())) }
                }
                silence.matcherSets.append(set)
            default: silence.unknownFields += field.raw
            }
        }
        if silence.matcherSets.isEmpty && !oldMatchers.isEmpty { silence.matcherSets = [oldMatchers] }
        guard !silence.id.isEmpty, silence.startsAt != .min, silence.endsAt != .min, !silence.matcherSets.isEmpty,
            silence.matcherSets.allSatisfy({ !$0.isEmpty })
        else { throw TSDBError(.corruption, "a silence without id, times or matchers") }
        return silence
    }

    private static func matcher(_ bytes: ArraySlice<UInt8>) throws(TSDBError) -> Matcher {
        var reader = ProtobufReader(bytes)
        var kind = Matcher.Kind.equal
        var name = "", value = ""
        while let field = try reader.next() {
            switch field.number {
            case 1:
                switch try field.unsigned() {
                case 0: kind = .equal
                case 1: kind = .regex
                case 2: kind = .notEqual
                case 3: kind = .notRegex
                case let other: throw TSDBError(.corruption, "a matcher of type \(other)")
                }
            case 2: name = try field.text()
            case 3: value = try field.text()
            default: break
            }
        }
        do throws(PatternError) { return try Matcher(kind, name: name, value: value) } catch {
            throw TSDBError(.corruption, "matcher \(name)\(kind.rawValue)\(value): \(error.message)")
        }
    }
}
