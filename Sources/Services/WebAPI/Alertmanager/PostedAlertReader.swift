import Alerter
import JSON
import NIOCore
import Numbers
import TSDB

/// Reads the body of `POST /api/v2/alerts`.
///
///     [{"labels":{"alertname":"Down"},"annotations":{…},"startsAt":"2026-11-22T18:00:00Z","generatorURL":"http://…"}]
///
/// A body that is no list of alerts is refused as a whole; what a single alert says is judged by `Alertmanager.receive`. Unknown
/// members are passed over.
///
/// Source: Alertmanager, `api/v2/openapi.yaml`, `postableAlert`.
struct PostedAlertReader {
    /// Alerts in one request.
    static let maximumCount = 200_000

    private(set) var reports: [AlertReport] = []
    /// The first refusal by the specification. The document is read to its end all the same: what is no JSON is said first.
    private var refusal: V2Failure?

    init(_ body: ByteBuffer) throws(V2Failure) {
        guard body.readableBytes > 0 else { throw .required("alerts") }
        var failure: V2Failure?
        body.withUnsafeReadableBytes { bytes in
            do throws(V2Failure) { try read(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer) throws(V2Failure) {
        var reader = JSONReader(bytes, maximumDepth: 16)
        do throws(JSONError) {
            if try reader.kind() == .null {
                try reader.null()
                return try reader.finish()
            }
            guard try reader.kind() == .array else { throw reader.error("not a list of alerts") }
            try reader.beginArray()
            var index = 0
            while try reader.nextElement() {
                guard index < Self.maximumCount else { throw reader.error("too many alerts in one request") }
                try report(&reader, index)
                index += 1
            }
            try reader.finish()
        } catch {
            throw .unreadable("alerts", error.description)
        }
        if let refusal { throw refusal }
    }

    private mutating func refuse(_ failure: V2Failure) {
        if refusal == nil { refusal = failure }
    }

    private mutating func report(_ reader: inout JSONReader, _ index: Int) throws(JSONError) {
        if try reader.kind() == .null {
            try reader.null()
            return refuse(.required("\(index)"))
        }
        var report = AlertReport(labels: Annotations())
        var hasLabels = false
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if try reader.kind() == .null {
                try reader.null()
                continue
            }
            switch key {
            case "labels":
                report.labels = Annotations(try texts(&reader))
                hasLabels = true
            case "annotations": report.annotations = Annotations(try texts(&reader))
            case "startsAt": report.startsAt = try time(&reader)
            case "endsAt": report.endsAt = try time(&reader)
            case "generatorURL": report.generatorURL = try reader.string()
            default: try reader.skip()
            }
        }
        guard hasLabels else { return refuse(.required("\(index).labels")) }
        if !Self.isURI(report.generatorURL) {
            let text = "\(index).generatorURL in body must be of type uri: \(QuotedText.go(report.generatorURL))"
            return refuse(.refused(code: 601, text, .unprocessableContent))
        }
        reports.append(report)
    }

    private func texts(_ reader: inout JSONReader) throws(JSONError) -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        try reader.beginObject()
        while let name = try reader.nextKey() {
            if try reader.kind() == .null {
                try reader.null()
                result.append((name, ""))
            } else {
                result.append((name, try reader.string()))
            }
        }
        return result
    }

    /// 0001-01-01T00:00:00Z, Go's zero time.
    private static let yearOne: Int64 = -62_135_596_800_000

    /// The year 1, which clients send for “not given”, is `nil`.
    private func time(_ reader: inout JSONReader) throws(JSONError) -> Timestamp? {
        let text = try reader.string()
        if text.isEmpty { return nil }
        guard let milliseconds = TimeText.parse(text) else { throw reader.error("not a time in the form of RFC 3339") }
        return milliseconds <= Self.yearOne ? nil : Timestamp(milliseconds: milliseconds)
    }

    /// As far as upstream's check goes: empty, or a scheme and something behind it, or a path.
    private static func isURI(_ text: String) -> Bool {
        if text.isEmpty || text.hasPrefix("/") { return true }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let scheme = text.utf8[..<colon]
        guard let first = scheme.first, isLetter(first) else { return false }
        return scheme.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0) }
            && !text.utf8.contains { $0 <= 0x20 || $0 == 0x7f }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) }
}
