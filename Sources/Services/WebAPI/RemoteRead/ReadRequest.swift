import RegularExpression
import TSDB

/// A remote-read request: what is asked for, and in which forms the answer may come.
///
///     ReadRequest    1 queries*   2 accepted_response_types*
///     Query          1 start_timestamp_ms   2 end_timestamp_ms   3 matchers*   4 hints
///     LabelMatcher   1 type (0 =, 1 !=, 2 =~, 3 !~)   2 name   3 value
///
/// Hints say what the asker is going to compute; every sample of the range is given whatever they say, so they are not read.
/// Source: prompb/remote.proto, prompb/types.proto.
struct ReadRequest {
    struct Query {
        var start = Timestamp(milliseconds: 0)
        var end = Timestamp(milliseconds: 0)
        var matchers: [Matcher] = []
    }

    /// Forms of answers, with their numbers on the wire.
    enum Form: UInt64 {
        case samples = 0
        case streamedChunks = 1
    }

    /// Queries that one request may have; Prometheus sends one, and one selection each is held at a time.
    static let queryLimit = 1_000

    private(set) var queries: [Query] = []
    private var accepted: [UInt64] = []

    init(_ message: UnsafeRawBufferPointer) throws(Refusal) {
        do throws(ProtobufError) {
            var reader = ProtobufReader(message)
            while let field = try reader.nextField() {
                switch (field.number, field.wireType) {
                case (1, 2):
                    let query = try reader.lengthDelimited()
                    guard queries.count < Self.queryLimit else { throw ProtobufError(message: "more than \(Self.queryLimit) queries") }
                    queries.append(try Self.query(query))
                case (2, 0): accepted.append(try reader.varint())
                case (2, 2):
                    var packed = ProtobufReader(try reader.lengthDelimited())
                    while !packed.isAtEnd { accepted.append(try packed.varint()) }
                default: try reader.skip(field.wireType)
                }
            }
        } catch {
            throw Refusal(message: error.message)
        }
    }

    /// Why a request has no answer.
    struct Refusal: Error, Equatable {
        var message: String
    }

    /// The first form of those accepted that there is; where none is named, samples.
    func form() throws(Refusal) -> Form {
        if accepted.isEmpty { return .samples }
        for number in accepted {
            if let form = Form(rawValue: number) { return form }
        }
        let asked = accepted.prefix(10).map(String.init).joined(separator: " ")
        throw Refusal(message: "server does not support any of the requested response types: [\(asked)]; supported: [SAMPLES STREAMED_XOR_CHUNKS]")
    }

    /// The matchers with what is asked of external labels turned into what storage knows: a label that all series of this server are given
    /// on their way out has no value inside.
    static func matchers(_ matchers: [Matcher], without external: Labels) -> [Matcher] {
        if external.isEmpty { return matchers }
        let pairs = external.pairs
        return matchers.map { matcher in
            let isExternal = pairs.contains { $0.name == matcher.name && $0.value == matcher.value }
            return matcher.kind == .equal && isExternal ? .equal(matcher.name, "") : matcher
        }
    }

    private static func query(_ message: UnsafeRawBufferPointer) throws(ProtobufError) -> Query {
        var query = Query()
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, 0): query.start = Timestamp(milliseconds: Int64(bitPattern: try reader.varint()))
            case (2, 0): query.end = Timestamp(milliseconds: Int64(bitPattern: try reader.varint()))
            case (3, 2): query.matchers.append(try matcher(try reader.lengthDelimited()))
            default: try reader.skip(field.wireType)
            }
        }
        return query
    }

    private static let kinds: [Matcher.Kind] = [.equal, .notEqual, .regex, .notRegex]

    private static func matcher(_ message: UnsafeRawBufferPointer) throws(ProtobufError) -> Matcher {
        var number: UInt64 = 0
        var name = "", value = ""
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, 0): number = try reader.varint()
            case (2, 2): name = String(decoding: try reader.lengthDelimited(), as: UTF8.self)
            case (3, 2): value = String(decoding: try reader.lengthDelimited(), as: UTF8.self)
            default: try reader.skip(field.wireType)
            }
        }
        guard number < UInt64(kinds.count) else { throw ProtobufError(message: "invalid matcher type") }
        do throws(PatternError) {
            return try Matcher(kinds[Int(number)], name: name, value: value)
        } catch {
            throw ProtobufError(message: "\(error)")
        }
    }
}
