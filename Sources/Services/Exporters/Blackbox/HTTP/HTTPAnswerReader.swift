import Numbers

/// Reads one HTTP/1 answer from a connection: first the head, then the body where somebody wants it.
///
/// Source: RFC 9112. Answers of `1xx` are passed over.
///
/// Invariant: holds no more than `maximumHead` bytes of head, and of the body what `limit` allows.
struct HTTPAnswerReader {
    static let maximumHead = 1 << 20
    /// Of a body that must be held, without a `body_size_limit`.
    static let maximumBody = 64 << 20
    private static let maximumLine = 4 << 10

    let connection: ProbeConnection
    let deadline: Deadline
    private var buffer: [UInt8] = []
    private var position = 0

    init(_ connection: ProbeConnection, _ deadline: Deadline) {
        self.connection = connection
        self.deadline = deadline
    }

    /// `began`: called when the first byte has come.
    mutating func head(began: () -> Void) async throws -> HTTPAnswer {
        guard try await fill() else { throw ProbeFailure("EOF") }
        began()
        while true {
            var head: [UInt8] = []
            while true {
                let line = try await line(limit: Self.maximumHead - head.count)
                if line.isEmpty { break }
                head += line + [10]
            }
            let answer = try HTTPAnswer(head)
            // 101 is an answer: nobody asked for another protocol.
            if answer.status >= 200 || answer.status == 101 { return answer }
        }
    }

    /// The body; without the bytes where only their number is asked for. Throws when there are more than `limit`.
    mutating func body(_ framing: HTTPAnswer.Framing, keeps: Bool, limit: Int) async throws -> (bytes: [UInt8], count: Int) {
        var bytes: [UInt8] = [], count = 0
        func take(_ piece: ArraySlice<UInt8>) throws {
            count += piece.count
            if count > limit { throw BodyTooLarge() }
            if keeps { bytes += piece }
        }
        switch framing {
        case .none: break
        case .length(let length):
            while count < length {
                guard let piece = try await piece(atMost: length - count) else { throw ProbeFailure("unexpected EOF") }
                try take(piece)
            }
        case .untilClosed:
            while let piece = try await piece(atMost: .max) { try take(piece) }
        case .chunked:
            while true {
                let size = try Self.chunkSize(try await line(limit: Self.maximumLine))
                if size == 0 { break }
                var left = size
                while left > 0 {
                    guard let piece = try await piece(atMost: left) else { throw ProbeFailure("unexpected EOF") }
                    left -= piece.count
                    try take(piece)
                }
                guard try await line(limit: Self.maximumLine).isEmpty else { throw ProbeFailure("malformed chunked encoding") }
            }
            var trailer = 0
            while true {
                let line = try await line(limit: Self.maximumLine)
                trailer += line.count
                if line.isEmpty { break }
                guard trailer < Self.maximumHead else { throw ProbeFailure("malformed chunked encoding") }
            }
        }
        return (bytes, count)
    }

    struct BodyTooLarge: Error, CustomStringConvertible {
        var description: String { "http: request body too large" }
    }

    /// Hexadecimal, up to a semicolon.
    static func chunkSize(_ line: [UInt8]) throws -> Int {
        let digits = line.prefix { $0 != UInt8(ascii: ";") }.filter { $0 != 32 && $0 != 9 }
        guard digits.count <= 15, let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0,
            digits.first != UInt8(ascii: "+")
        else { throw ProbeFailure("malformed chunked encoding") }
        return size
    }

    // MARK: Bytes

    /// More bytes; `false` at the end. The deadline closes the connection, and then it is the deadline's fault.
    private mutating func fill() async throws -> Bool {
        guard let piece = try await connection.read() else {
            if deadline.isOver { throw ProbeFailure.late }
            return false
        }
        if position == buffer.count {
            (buffer, position) = (piece, 0)
        } else {
            buffer += piece
        }
        return true
    }

    private mutating func piece(atMost limit: Int) async throws -> ArraySlice<UInt8>? {
        if position == buffer.count {
            guard try await fill() else { return nil }
        }
        let end = limit < buffer.count - position ? position + limit : buffer.count
        defer { position = end }
        return buffer[position..<end]
    }

    /// Without its end.
    private mutating func line(limit: Int) async throws -> [UInt8] {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: 10) {
                var line = buffer[position..<end]
                if line.last == 13 { line = line.dropLast() }
                position = end + 1
                return Array(line)
            }
            guard buffer.count - position <= limit else { throw ProbeFailure("server response headers exceeded \(Self.maximumHead) bytes; aborted") }
            // What is read already moves to the front, so that places stay places.
            buffer.removeFirst(position)
            position = 0
            searched = buffer.count
            guard try await fill() else { throw ProbeFailure("unexpected EOF") }
            searched = min(searched, buffer.count)
        }
    }
}
