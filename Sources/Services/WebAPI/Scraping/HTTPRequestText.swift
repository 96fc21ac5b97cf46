import NIOCore
import Scraper

/// The bytes of a GET, as they are sent.
enum HTTPRequestText {
    /// Throws `.transport` with upstream's words where a name or value cannot stand in a header.
    static func bytes(of request: ScrapeRequest) throws(ScrapeError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 1024)
        guard !(request.path.utf8.contains(where: isControl) || request.query.utf8.contains(where: isControl)) else {
            throw .transport(request.url, "net/url: invalid control character in URL")
        }
        buffer.writeString(request.path.hasPrefix("/") ? "GET " : "GET /")
        buffer.writeString(request.path)
        if !request.query.isEmpty {
            buffer.writeString("?")
            buffer.writeString(request.query)
        }
        buffer.writeString(" HTTP/1.1\r\nHost: ")
        buffer.writeString(request.address)
        for header in request.headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(isTokenByte) else {
                throw .transport(request.url, "net/http: invalid header field name \"\(header.name)\"")
            }
            guard !header.value.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7f }) else {
                throw .transport(request.url, "net/http: invalid header field value for \"\(header.name)\"")
            }
            buffer.writeString("\r\n")
            buffer.writeString(header.name)
            buffer.writeString(": ")
            buffer.writeString(header.value)
        }
        buffer.writeString("\r\n\r\n")
        return buffer
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0x7f }

    /// RFC 9110: `!#$%&'*+-.^_`|~`, digits and letters.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
