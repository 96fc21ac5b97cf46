/// Reads one HTTP/1.1 answer from pieces as they come.
///
///     HTTP/1.1 200 OK ⏎ Content-Type: … ⏎ Content-Length: 9 ⏎ ⏎ up 1…        length
///     … Transfer-Encoding: chunked ⏎ ⏎ 1f4 ⏎ 500 bytes ⏎ 0 ⏎ ⏎               chunks
///     … Connection: close ⏎ ⏎ bytes until the connection ends                until closed
///
/// Source: RFC 9112. Of the header only what a scrape asks for is kept, so nothing is looked up by name afterwards. Lines may
/// end in a bare line feed; `1xx` answers are passed over.
///
/// Invariant: never holds more than `limit` bytes of body and `headLimit` bytes of head.
struct HTTPResponseReader {
    struct Answer: Sendable {
        var status = 0
        /// The words behind the status; empty where there are none.
        var reason = ""
        var contentType = ""
        var contentEncoding = ""
        /// Where a redirect leads; empty for none.
        var location = ""
        /// As sent: still compressed where `contentEncoding` says so.
        var body: [UInt8] = []
        /// The connection may carry another request.
        var isReusable = true
    }

    enum Failure: Error, Equatable, Sendable {
        case notHTTP
        case bodyTooLarge
    }

    private enum Place {
        case head
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailer
        case untilClosed
        case done
    }

    /// Bytes of a head, of a chunk's line, or of the trailers.
    static let headLimit = 64 << 10
    /// What a declared length reserves at most; more comes with the bytes.
    private static let reservedLimit = 1 << 20
    /// Without a limit of its own a body still has one.
    private static let hardLimit = 1 << 30

    private let limit: Int
    private var place = Place.head
    /// The beginning of a line or head whose end has not come yet.
    private var rest: [UInt8] = []
    private var trailerBytes = 0
    private(set) var answer = Answer()
    /// Whether any byte has come.
    private(set) var hasBegun = false

    /// `limit` bounds the bytes of the body as sent; 0: no bound but 1 GiB.
    init(limit: Int) { self.limit = limit > 0 ? min(limit, Self.hardLimit) : Self.hardLimit }

    /// Takes the next piece; returns whether the answer is complete. Bytes behind it make the connection unfit for another.
    mutating func read(_ piece: UnsafeRawBufferPointer) throws(Failure) -> Bool {
        if !piece.isEmpty { hasBegun = true }
        var at = 0
        while at < piece.count {
            let left = UnsafeRawBufferPointer(rebasing: piece[at...])
            switch place {
            case .head: at += try readHead(left)
            case .body(let wanted):
                let count = min(wanted, left.count)
                try take(left, count)
                at += count
                place = count == wanted ? .done : .body(left: wanted - count)
            case .chunkSize:
                at += try line(left) { reader, line throws(Failure) in
                    let size = try Self.chunkSize(line)
                    if reader.answer.body.count + size > reader.limit { throw .bodyTooLarge }
                    reader.place = size == 0 ? .trailer : .chunk(left: size)
                }
            case .chunk(let wanted):
                let count = min(wanted, left.count)
                try take(left, count)
                at += count
                place = count == wanted ? .chunkEnd : .chunk(left: wanted - count)
            case .chunkEnd:
                at += try line(left) { reader, line throws(Failure) in
                    if !line.isEmpty { throw .notHTTP }
                    reader.place = .chunkSize
                }
            case .trailer:
                at += try line(left) { reader, line throws(Failure) in
                    reader.trailerBytes += line.count + 1
                    if reader.trailerBytes > Self.headLimit { throw .notHTTP }
                    if line.isEmpty { reader.place = .done }
                }
            case .untilClosed:
                try take(left, left.count)
                at = piece.count
            case .done:
                // Nobody asked for these.
                answer.isReusable = false
                return true
            }
        }
        if case .done = place { return true }
        return false
    }

    /// The connection has ended; returns whether that completes the answer.
    mutating func end() -> Bool {
        guard case .untilClosed = place else { return false }
        place = .done
        return true
    }

    private mutating func take(_ piece: UnsafeRawBufferPointer, _ count: Int) throws(Failure) {
        if answer.body.count + count > limit { throw .bodyTooLarge }
        answer.body.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }

    // MARK: Lines

    /// Hands one whole line, without its end, to `body`; returns the bytes used.
    private mutating func line(
        _ piece: UnsafeRawBufferPointer, _ body: (inout Self, UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Int {
        guard let end = piece.firstIndex(of: UInt8(ascii: "\n")) else {
            if rest.count + piece.count > Self.headLimit { throw .notHTTP }
            rest.append(contentsOf: piece)
            return piece.count
        }
        rest.append(contentsOf: piece[..<end])
        if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
        let whole = rest
        rest = []
        if whole.count > Self.headLimit { throw .notHTTP }
        try whole.withUnsafeBufferPointer { bytes throws(Failure) in try body(&self, UnsafeRawBufferPointer(bytes)) }
        return end + 1
    }

    private static func chunkSize(_ line: UnsafeRawBufferPointer) throws(Failure) -> Int {
        var size = 0, digits = 0
        for byte in line {
            guard let digit = hexDigit(byte) else {
                // Extensions are allowed and mean nothing here.
                guard byte == UInt8(ascii: ";") || byte == UInt8(ascii: " ") else { throw .notHTTP }
                break
            }
            digits += 1
            if digits > 15 { throw .bodyTooLarge }
            size = size << 4 | digit
        }
        if digits == 0 { throw .notHTTP }
        return size
    }

    private static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    // MARK: Head

    /// Reads the head once all of it is there: at once where it fits into the first piece, as it nearly always does.
    private mutating func readHead(_ piece: UnsafeRawBufferPointer) throws(Failure) -> Int {
        if rest.isEmpty, let end = Self.endOfHead(piece) {
            if end > Self.headLimit { throw .notHTTP }
            try parseHead(UnsafeRawBufferPointer(rebasing: piece[..<end]))
            return end
        }
        let before = rest.count
        rest.append(contentsOf: piece.prefix(Self.headLimit + 1))
        let whole = rest
        guard let end = whole.withUnsafeBytes({ Self.endOfHead($0) }) else {
            // What cannot be the beginning of an answer need not be waited for.
            if whole.count > Self.headLimit || !whole.starts(with: "HTTP/1.".utf8.prefix(whole.count)) { throw .notHTTP }
            return piece.count
        }
        rest = []
        if end > Self.headLimit { throw .notHTTP }
        try whole.withUnsafeBufferPointer { bytes throws(Failure) in
            try parseHead(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<end]))
        }
        return end - before
    }

    /// Where the empty line ends.
    private static func endOfHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let length = end - start
            if start > 0 && (length == 0 || (length == 1 && bytes[start] == UInt8(ascii: "\r"))) { return end + 1 }
            start = end + 1
        }
        return nil
    }

    private mutating func parseHead(_ head: UnsafeRawBufferPointer) throws(Failure) {
        answer = Answer()
        var length: Int?
        var isChunked = false
        var isFirst = true
        for var line in head.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            if isFirst {
                try parseStatus(line)
                isFirst = false
                continue
            }
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { throw .notHTTP }
            let name = line[..<colon], value = Self.trimmed(line[(colon + 1)...])
            if name.contains(where: { $0 <= 0x20 || $0 == 0x7f }) { throw .notHTTP }
            if Self.isSame(name, "content-length") {
                guard let number = Self.decimal(value), length == nil || length == number else { throw .notHTTP }
                length = number
            } else if Self.isSame(name, "transfer-encoding") {
                guard Self.isSame(value, "chunked") else { throw .notHTTP }
                isChunked = true
            } else if Self.isSame(name, "connection") {
                for word in value.split(separator: UInt8(ascii: ",")) {
                    if Self.isSame(Self.trimmed(word), "close") { answer.isReusable = false }
                    if Self.isSame(Self.trimmed(word), "keep-alive") { answer.isReusable = true }
                }
            } else if Self.isSame(name, "content-type") {
                answer.contentType = String(decoding: value, as: UTF8.self)
            } else if Self.isSame(name, "content-encoding") {
                answer.contentEncoding = String(decoding: value, as: UTF8.self)
            } else if Self.isSame(name, "location") {
                answer.location = String(decoding: value, as: UTF8.self)
            }
        }
        try beginBody(length: length, isChunked: isChunked)
    }

    private mutating func beginBody(length: Int?, isChunked: Bool) throws(Failure) {
        if (100..<200).contains(answer.status) {
            // Switching protocols was not asked for.
            if answer.status == 101 { throw .notHTTP }
            place = .head
        } else if answer.status == 204 || answer.status == 304 {
            place = .done
        } else if isChunked {
            // Both lengths at once smell of smuggling: the chunks count, the connection does not go on.
            if length != nil { answer.isReusable = false }
            place = .chunkSize
        } else if let length {
            if length > limit { throw .bodyTooLarge }
            answer.body.reserveCapacity(min(length, Self.reservedLimit))
            place = length == 0 ? .done : .body(left: length)
        } else {
            answer.isReusable = false
            place = .untilClosed
        }
    }

    /// `HTTP/1.1 200 OK`, the words optional.
    private mutating func parseStatus(_ line: Slice<UnsafeRawBufferPointer>) throws(Failure) {
        let start = line.startIndex
        guard line.count >= 12, line.starts(with: "HTTP/1.".utf8), line[start + 8] == UInt8(ascii: " "),
            line[start + 7] == UInt8(ascii: "0") || line[start + 7] == UInt8(ascii: "1"),
            line.count == 12 || line[start + 12] == UInt8(ascii: " "),
            let status = Self.decimal(line[(start + 9)..<(start + 12)]), status >= 100
        else { throw .notHTTP }
        answer.status = status
        answer.reason = String(decoding: line[min(start + 13, line.endIndex)...], as: UTF8.self)
        answer.isReusable = line[start + 7] == UInt8(ascii: "1")
    }

    private static func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text = text.dropFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }

    /// Equal but for the case of letters; `lowercase` is that.
    private static func isSame(_ text: Slice<UnsafeRawBufferPointer>, _ lowercase: StaticString) -> Bool {
        guard text.count == lowercase.utf8CodeUnitCount else { return false }
        var place = 0
        for byte in text {
            let folded = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            if folded != lowercase.utf8Start[place] { return false }
            place += 1
        }
        return true
    }

    /// Digits only; `nil` for anything else, and past 15 of them.
    private static func decimal(_ text: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard !text.isEmpty, text.count <= 15 else { return nil }
        var number = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }
}
