import HTTPServer
import HTTPTypes
import NIOCore
import SelfMetrics
import Snappy
import Synchronization
import TSDB

/// `POST /api/v1/write`: takes samples from other servers (remote-write 1.0).
///
///     body ─▶ snappy, bounded ─▶ WriteRequestReader ─▶ Database.append ─▶ 204
///
/// What can be stored is stored; when something could not be, the answer is 400, which senders do not retry. An unknown
/// encoding is 415, which tells vmagent to fall back from zstd to snappy. Only a failing disk is 500, which is retried.
final class RemoteWriteReceiver: Sendable {
    /// Bytes of a request when decompressed; declared lengths are checked before anything is allocated.
    static let decompressedLimit = 32 << 20

    private let scratches = Mutex<[Scratch]>([])
    private let received = Counter()
    private let receivedHistograms = Counter()
    private let refused = Counter()
    private let invalid = Counter()
    private let receivedExemplars = Counter()
    private let ignoredExemplars = Counter()
    private let refusedHistograms = Counter()

    /// Buffers of one request, reused: a thread takes them and gives them back.
    private final class Scratch: @unchecked Sendable {
        // Sendable: owned by one thread at a time; `scratches` hands it over.
        var bytes: [UInt8] = []
        var reader = WriteRequestReader()
    }

    /// What the headers ask for that we do not do; `nil` when all is well.
    func refusal(_ headers: HTTPFields) -> Reply? {
        let type = headers[.contentType] ?? ""
        if !type.isEmpty {
            let parts = type.split(separator: ";", omittingEmptySubsequences: false).map { part in
                String(part.filter { $0 != " " })
            }
            guard parts.first == "application/x-protobuf" else {
                return Self.unsupported(
                    "expected application/x-protobuf as the first (media) part, got \(type) content-type")
            }
            for parameter in parts.dropFirst() where parameter.hasPrefix("proto=") {
                let message = parameter.dropFirst(6)
                if message != "prometheus.WriteRequest" {
                    return Self.unsupported(
                        "\(message) protobuf message is not accepted by this server; only accepts prometheus.WriteRequest")
                }
            }
        }
        let encoding = headers[.contentEncoding] ?? ""
        if !encoding.isEmpty && encoding != "snappy" {
            return Self.unsupported("\(encoding) encoding (compression) is not accepted by this server; only snappy is acceptable")
        }
        return nil
    }

    private static func unsupported(_ text: String) -> Reply { .text(text + "\n", .unsupportedMediaType) }

    /// Stores the samples of a request body.
    func receive(_ body: ByteBuffer, in database: Database) -> Reply {
        let scratch = scratches.withLock { $0.popLast() } ?? Scratch()
        defer {
            // A giant request's buffers are not worth keeping.
            if scratch.bytes.capacity <= 4 << 20 { scratches.withLock { $0.append(scratch) } }
        }
        var failure: Reply?
        body.withUnsafeReadableBytes { compressed in
            do throws(SnappyError) {
                try Snappy.decompress(compressed, limit: Self.decompressedLimit, into: &scratch.bytes)
            } catch {
                failure = .text(
                    error.code == .overLimit ? "snappy: decoded block is too large\n" : "snappy: corrupt input\n", .badRequest)
            }
        }
        if let failure { return failure }
        scratch.bytes.withUnsafeBytes { message in
            do throws(ProtobufError) {
                try scratch.reader.read(
                    message, existing: database.takesExemplars ? { database.existingReference(forPacked: $0) } : nil
                ) { packed throws(TSDBError) in try database.reference(forPacked: packed) }
            } catch {
                failure = .text(error.message + "\n", .badRequest)
            }
        }
        if let failure { return failure }
        return append(scratch.reader, to: database)
    }

    private func append(_ reader: borrowing WriteRequestReader, to database: Database) -> Reply {
        let report: AppendReport
        let exemplars: [ExemplarVerdict]
        do throws(TSDBError) {
            report = try database.append(reader.batch)
            exemplars = try database.append(exemplars: reader.exemplars)
        } catch {
            return .text(error.description + "\n", .internalServerError)
        }
        let notes = reader.notes
        let histograms = reader.batch.histograms.keys.reduce(0) { $0 + (report[$1] == .stored ? 1 : 0) }
        received.increment(by: report.storedCount - histograms)
        receivedHistograms.increment(by: histograms)
        invalid.increment(by: notes.invalidSeries)
        // One that is not taken is no fault of the request, as upstream sees it.
        let taken = exemplars.reduce(0) { $0 + ($1 == .stored || $1 == .repeated ? 1 : 0) }
        receivedExemplars.increment(by: taken)
        ignoredExemplars.increment(by: notes.exemplars - taken)
        refusedHistograms.increment(by: notes.invalidHistograms)
        let problems = Self.problems(report, notes)
        guard !problems.isEmpty else { return .noContent }
        refused.increment()
        return .text(problems.joined(separator: "; ") + "\n", .badRequest)
    }

    private static func problems(_ report: AppendReport, _ notes: WriteRequestReader.Notes) -> [String] {
        var problems: [String] = []
        if !report.verdicts.isEmpty {
            var counts: [AppendVerdict: Int] = [:]
            for verdict in report.verdicts { counts[verdict, default: 0] += 1 }
            let texts: [(AppendVerdict, String)] = [
                (.outOfOrder, "out of order sample"), (.duplicate, "duplicate sample for timestamp"),
                (.tooOld, "too old sample"), (.outOfBounds, "out of bounds"), (.tooFarAhead, "out of bounds: too far in the future"),
                (.unknownSeries, "unknown series"),
            ]
            for (verdict, text) in texts {
                if let count = counts[verdict] { problems.append("\(text) (\(count) of \(report.verdicts.count))") }
            }
        }
        if notes.invalidSeries > 0 {
            problems.append("invalid labels in \(notes.invalidSeries) series, the first is \(notes.firstInvalid)")
        }
        if let refusal = notes.firstRefusal { problems.append("\(notes.refusedSeries) series refused: \(refusal)") }
        if notes.invalidHistograms > 0 {
            problems.append("\(notes.invalidHistograms) invalid histograms, the first is of \(notes.firstInvalidHistogram)")
        }
        return problems
    }

    func write(to page: inout MetricsPage) {
        page.single(
            "prometheus_remote_storage_samples_in_total", .counter, "Samples in to remote storage, compare to samples out for queue managers.",
            received.value)
        page.single(
            "prometheus_api_remote_write_invalid_labels_samples_total", .counter,
            "The total number of received remote write samples and histogram samples which contain invalid labels.", invalid.value)
        page.single("minprom_remote_write_requests_refused_total", .counter, "Requests answered with 400.", refused.value)
        page.single(
            "prometheus_remote_storage_histograms_in_total", .counter,
            "HistogramSamples in to remote storage, compare to histograms out for queue managers.", receivedHistograms.value)
        page.single(
            "prometheus_remote_storage_exemplars_in_total", .counter,
            "Exemplars in to remote storage, compare to exemplars out for queue managers.", receivedExemplars.value)
        page.single("minprom_remote_write_exemplars_ignored_total", .counter, "Exemplars received and not stored.", ignoredExemplars.value)
        page.single(
            "minprom_remote_write_histograms_refused_total", .counter, "Native histograms received whose parts do not fit each other.",
            refusedHistograms.value)
    }
}

extension Reply {
    static var noContent: Reply { Reply(.noContent, contentType: "", body: ByteBuffer()) }
}

extension WebAPI {
    func addRemoteWrite(to routes: inout Routes, registry: MetricsRegistry, isEnabled: Bool, pool: ThreadPool) {
        guard isEnabled else {
            routes.on([.post], "/api/v1/write") { _ in
                .text("remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n", .notFound)
            }
            return
        }
        let receiver = RemoteWriteReceiver()
        registry.add { receiver.write(to: &$0) }
        routes.on([.post], "/api/v1/write") { request throws(APIError) in
            if let refusal = receiver.refusal(request.headers) { return refusal }
            let database = try self.parts().database
            let body = request.body
            do throws(ThreadPool.Full) {
                return try await pool.run { receiver.receive(body, in: database) }
            } catch {
                // Senders keep what was not taken and try again.
                return .text("too many writes are waiting; the limit is \(error.limit)\n", .serviceUnavailable)
            }
        }
    }
}
