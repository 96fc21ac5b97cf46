import RegularExpression

/// Lines, and bytes by number, out of a connection.
final class LineReader {
    /// Longer lines are no lines: Go's scanner has the same bound.
    static let maximumLine = 64 << 10

    let connection: ProbeConnection
    private let deadline: Deadline
    private var buffer: [UInt8] = []

    init(_ connection: ProbeConnection, _ deadline: Deadline) {
        self.connection = connection
        self.deadline = deadline
    }

    /// Without its end; the last one may have none. `nil` where the other side has ended.
    func line() async throws -> String? {
        var searched = 0
        while true {
            if let end = buffer[searched...].firstIndex(of: 10) {
                var line = buffer[..<end]
                if line.last == 13 { line = line.dropLast() }
                buffer.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            searched = buffer.count
            guard buffer.count < Self.maximumLine else { throw ProbeFailure("token too long") }
            guard try await fill() else {
                guard !buffer.isEmpty else { return nil }
                defer { buffer = [] }
                return String(decoding: buffer.last == 13 ? buffer.dropLast() : buffer[...], as: UTF8.self)
            }
        }
    }

    /// As many bytes, or fewer where the other side ends before.
    func bytes(_ count: Int) async throws -> [UInt8] {
        while buffer.count < count {
            guard try await fill() else { break }
        }
        let taken = Array(buffer.prefix(count))
        buffer.removeFirst(taken.count)
        return taken
    }

    /// Forgets what was read and not asked for: behind a handshake nothing counts that came before.
    func forget() { buffer = [] }

    private func fill() async throws -> Bool {
        guard let piece = try await connection.read() else {
            // The deadline closes the connection, too.
            if deadline.isOver { throw ProbeFailure.late }
            return false
        }
        buffer += piece
        return true
    }
}

/// What a line matched with, for filling in `$1`.
struct Match {
    private let captures: Captures
    init(_ captures: Captures) { self.captures = captures }
    func expand(template: String) -> String { captures.expand(template: template) }
}
