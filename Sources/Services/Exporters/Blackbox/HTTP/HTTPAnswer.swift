import ConfigurationFile
import Numbers

/// The head of an answer: `HTTP/1.1 200 OK` and its fields.
struct HTTPAnswer: Sendable {
    /// `HTTP/1.1`.
    var version: String
    var status: Int
    /// Names in canonical spelling, in order.
    var headers: [(name: String, value: String)]

    func values(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
    func first(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    var versionNumber: Double { NumberText.parse(String(version.dropFirst("HTTP/".count))) ?? 0 }

    /// How the body ends.
    enum Framing: Equatable, Sendable {
        case none
        case length(Int)
        case chunked
        case untilClosed
    }

    func framing(of method: String) -> Framing {
        if method == "HEAD" || status == 204 || status == 304 { return .none }
        if values("Transfer-Encoding").contains(where: { $0.lowercased().hasSuffix("chunked") }) { return .chunked }
        return declaredLength.map { .length($0) } ?? .untilClosed
    }

    private var declaredLength: Int? { first("Content-Length").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }

    /// As Go's `Response.ContentLength`: -1 where nobody knows.
    func contentLength(of method: String) -> Int {
        switch framing(of: method) {
        case .none: return method == "HEAD" ? declaredLength ?? -1 : 0
        case .length(let length): return length
        case .chunked, .untilClosed: return -1
        }
    }

    /// Reads a head, its last line's end included. Throws where it is none.
    init(_ head: [UInt8]) throws {
        var lines = head.split(separator: 10, omittingEmptySubsequences: false).map { $0.last == 13 ? $0.dropLast() : $0 }[...]
        let first = String(decoding: lines.popFirst() ?? [], as: UTF8.self)
        let parts = first.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/"), parts[1].utf8.count == 3, let status = Int(parts[1]), status >= 100 else {
            throw ProbeFailure("malformed HTTP response \(QuotedText.go(String(first.prefix(100))))")
        }
        version = String(parts[0])
        self.status = status
        headers = []
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                throw ProbeFailure("malformed MIME header line: \(String(decoding: line.prefix(100), as: UTF8.self))")
            }
            let name = HeaderName.canonical(String(decoding: line[..<colon], as: UTF8.self))
            var value = line[line.index(after: colon)...]
            while value.first == 32 || value.first == 9 { value.removeFirst() }
            while value.last == 32 || value.last == 9 { value.removeLast() }
            headers.append((name, String(decoding: value, as: UTF8.self)))
        }
    }
}
