import Histograms
import TSDB

/// Reads a remote-write 1.0 request and turns it into a batch of samples.
///
///     WriteRequest   1 timeseries*   3 metadata*
///     TimeSeries     1 labels*   2 samples*   3 exemplars*   4 histograms*
///     Label          1 name   2 value              Sample   1 value (double)   2 timestamp (ms, varint)
///
/// A series' labels go from protobuf's form to the packed form of `Labels` by copying bytes (`PackedLabelsBuffer`), and the
/// database looks the packed bytes up. No label becomes a string.
/// Source: prompb/types.proto and the remote-write 1.0 specification.
///
/// Invariant: what is wrong with one series never keeps others from being read; a broken message keeps all out.
struct WriteRequestReader: ~Copyable {
    /// What was found besides samples that can be stored.
    struct Notes: Equatable {
        /// Series with labels that may not be: no name, empty or repeated label names, not UTF-8.
        var invalidSeries = 0
        /// The first such label set, for the reader of the answer.
        var firstInvalid = ""
        /// Series that the database would not make.
        var refusedSeries = 0
        var firstRefusal: TSDBError?
        var exemplars = 0
        var histograms = 0
        /// Native histograms whose parts do not fit each other.
        var invalidHistograms = 0
        /// The series of the first such one, and what is wrong with it.
        var firstInvalidHistogram = ""
    }

    /// The samples read, in the order of the request.
    private(set) var batch = SampleBatch()
    /// The exemplars read, likewise.
    private(set) var exemplars: [SeriesExemplar] = []
    private(set) var notes = Notes()
    /// The labels of the series being read.
    private var packed = PackedLabelsBuffer()

    init() {}

    typealias Finder = (UnsafeRawBufferPointer) -> SeriesRef?

    /// Overwrites `batch`, `exemplars` and `notes` with the content of `message`. `reference` finds or makes the series;
    /// `existing` only finds it, for exemplars, which are left out where there is none. Senders give them a
    /// series message of their own, without samples.
    mutating func read(
        _ message: UnsafeRawBufferPointer, existing: Finder? = nil,
        reference: (UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef
    ) throws(ProtobufError) {
        batch.removeAll()
        exemplars.removeAll(keepingCapacity: true)
        notes = Notes()
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            if field.number == 1 && field.wireType == 2 {
                try readSeries(try reader.lengthDelimited(), existing, reference)
            } else {
                try reader.skip(field.wireType)
            }
        }
    }

    /// Labels first, as every sender writes them, then samples.
    private mutating func readSeries(
        _ message: UnsafeRawBufferPointer, _ existing: Finder?,
        _ reference: (UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef
    ) throws(ProtobufError) {
        packed.removeAll(room: message.count)
        guard let labelsEnd = packed.appendPlainLabels(of: message) else {
            return try readUnusual(message, existing, reference)
        }
        // Nothing is stored before it is known that no label follows the samples.
        var sampleCount = 0, exemplars = 0, histograms = 0
        var reader = ProtobufReader(message, at: labelsEnd)
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, _): return try readUnusual(message, existing, reference)
            case (2, 2): sampleCount &+= 1
            case (3, 2): exemplars &+= 1
            case (4, 2): histograms &+= 1
            default: break
            }
            try reader.skip(field.wireType)
        }
        notes.exemplars &+= exemplars
        notes.histograms &+= histograms
        if sampleCount > 0 || histograms > 0 {
            try readSamples(message, from: labelsEnd, hasHistograms: histograms > 0, reference)
        }
        if exemplars > 0, let existing { try readExemplars(message, from: labelsEnd, existing) }
    }

    /// The exemplars at or behind `offset`, for the series whose labels are packed.
    private mutating func readExemplars(
        _ message: UnsafeRawBufferPointer, from offset: Int, _ existing: Finder
    ) throws(ProtobufError) {
        guard let found = existing(packed.bytes) else { return }
        var reader = ProtobufReader(message, at: offset)
        while let field = try reader.nextField() {
            guard field.number == 3, field.wireType == 2 else {
                try reader.skip(field.wireType)
                continue
            }
            if let exemplar = try ExemplarMessage.read(try reader.lengthDelimited()) {
                exemplars.append(SeriesExemplar(found, exemplar))
            }
        }
    }

    /// The samples at or behind `offset`, for the series whose labels are packed; histograms behind floats, as upstream takes them.
    private mutating func readSamples(
        _ message: UnsafeRawBufferPointer, from offset: Int, hasHistograms: Bool,
        _ reference: (UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef
    ) throws(ProtobufError) {
        var histograms: [(time: Timestamp, sample: HistogramSample)] = []
        if hasHistograms {
            let (valid, hasFloats) = try readHistograms(message, from: offset)
            // Of nothing that can be stored no series is made.
            if valid.isEmpty && !hasFloats { return }
            histograms = valid
        }
        guard let found = lookUp(message, reference) else { return }
        defer { for (time, sample) in histograms { batch.append(found, at: time, histogram: sample) } }
        var reader = ProtobufReader(message, at: offset)
        while let field = try reader.nextField() {
            guard field.number == 2, field.wireType == 2 else {
                try reader.skip(field.wireType)
                continue
            }
            let sample = try readSample(try reader.lengthDelimited())
            batch.append(found, at: sample.time, value: sample.value)
        }
    }

    /// The histograms at or behind `offset` that are valid, and whether there are floats besides; the others are noted.
    private mutating func readHistograms(
        _ message: UnsafeRawBufferPointer, from offset: Int
    ) throws(ProtobufError) -> (valid: [(time: Timestamp, sample: HistogramSample)], hasFloats: Bool) {
        var valid: [(time: Timestamp, sample: HistogramSample)] = []
        var hasFloats = false
        var reader = ProtobufReader(message, at: offset)
        while let field = try reader.nextField() {
            guard field.number == 4, field.wireType == 2 else {
                if field.number == 2, field.wireType == 2 { hasFloats = true }
                try reader.skip(field.wireType)
                continue
            }
            let histogram = try HistogramMessage(try reader.lengthDelimited())
            do throws(HistogramError) {
                valid.append((histogram.time, try histogram.sample()))
            } catch {
                noteInvalid(error, of: message)
            }
        }
        return (valid, hasFloats)
    }

    private mutating func noteInvalid(_ error: HistogramError, of message: UnsafeRawBufferPointer) {
        if notes.invalidHistograms == 0 {
            let series = Self.text(of: (try? labels(of: message)) ?? [])
            notes.firstInvalidHistogram = "\(series): \(error.description)"
        }
        notes.invalidHistograms &+= 1
    }

    /// A series with labels that are unsorted, long, empty, not ASCII or not in front.
    private mutating func readUnusual(
        _ message: UnsafeRawBufferPointer, _ existing: Finder?,
        _ reference: (UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef
    ) throws(ProtobufError) {
        guard packSorted(try labels(of: message)) else { return noteInvalid(message) }
        var histograms = 0
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            if field.number == 3 { notes.exemplars &+= 1 }
            if field.number == 4 { histograms &+= 1 }
            try reader.skip(field.wireType)
        }
        notes.histograms &+= histograms
        try readSamples(message, from: 0, hasHistograms: histograms > 0, reference)
        if let existing { try readExemplars(message, from: 0, existing) }
    }

    typealias Pair = (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)

    private func labels(of series: UnsafeRawBufferPointer) throws(ProtobufError) -> [Pair] {
        var pairs: [Pair] = []
        var reader = ProtobufReader(series)
        while let field = try reader.nextField() {
            guard field.number == 1, field.wireType == 2 else {
                try reader.skip(field.wireType)
                continue
            }
            var label = ProtobufReader(try reader.lengthDelimited())
            var name = UnsafeRawBufferPointer(start: nil, count: 0), value = name
            while let field = try label.nextField() {
                switch (field.number, field.wireType) {
                case (1, 2): name = try label.lengthDelimited()
                case (2, 2): value = try label.lengthDelimited()
                default: try label.skip(field.wireType)
                }
            }
            pairs.append((name, value))
        }
        return pairs
    }

    @inline(__always)
    private func readSample(_ message: UnsafeRawBufferPointer) throws(ProtobufError) -> (time: Timestamp, value: Double) {
        var reader = ProtobufReader(message)
        var value = 0.0
        var time: Int64 = 0
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, 1): value = Double(bitPattern: try reader.fixed64())
            case (2, 0): time = Int64(bitPattern: try reader.varint())
            default: try reader.skip(field.wireType)
            }
        }
        return (Timestamp(milliseconds: time), value)
    }

    /// The series of the packed labels; `nil`, and a note, where there can be none.
    private mutating func lookUp(
        _ message: UnsafeRawBufferPointer, _ reference: (UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef
    ) -> SeriesRef? {
        guard packed.hasMetricName else {
            noteInvalid(message)
            return nil
        }
        do throws(TSDBError) {
            return try reference(packed.bytes)
        } catch {
            if notes.refusedSeries == 0 { notes.firstRefusal = error }
            notes.refusedSeries &+= 1
            return nil
        }
    }

    /// Packs labels of any kind. `false` where they may not be.
    private mutating func packSorted(_ pairs: [Pair]) -> Bool {
        packed.removeAll(room: pairs.reduce(0) { $0 + $1.name.count + $1.value.count + 20 })
        var previous = UnsafeRawBufferPointer(start: nil, count: 0)
        for (name, value) in pairs.sorted(by: { $0.name.order(against: $1.name) < 0 }) {
            if name.isEmpty || name.equals(previous) { return false }
            previous = name
            // An empty value says that there is no such label.
            if value.isEmpty { continue }
            guard name.isValidUTF8 && value.isValidUTF8 else { return false }
            packed.append(name, value)
        }
        return true
    }

    private mutating func noteInvalid(_ message: UnsafeRawBufferPointer) {
        if notes.invalidSeries == 0 { notes.firstInvalid = Self.text(of: (try? labels(of: message)) ?? []) }
        notes.invalidSeries &+= 1
    }

    /// The labels as text, bounded; anything may be in them.
    private static func text(of pairs: [Pair]) -> String {
        let text = pairs.prefix(30).map { pair in
            String(decoding: pair.name.prefix(100), as: UTF8.self) + "=\""
                + String(decoding: pair.value.prefix(100), as: UTF8.self) + "\""
        }
        return "{" + text.joined(separator: ", ") + "}"
    }
}

extension UnsafeRawBufferPointer {
    /// Every byte below 0x80, looked at eight at a time.
    @inline(__always)
    var isASCII: Bool {
        guard let base = baseAddress else { return true }
        var offset = 0
        var seen: UInt64 = 0
        while count &- offset >= 8 {
            seen |= base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        while offset < count {
            seen |= UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
            offset &+= 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    var isValidUTF8: Bool { isASCII || String(validating: self, as: UTF8.self) != nil }
}
