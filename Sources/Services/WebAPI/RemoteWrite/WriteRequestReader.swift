import TSDB

/// Reads a remote-write 1.0 request and turns it into a batch of samples.
///
///     WriteRequest   1 timeseries*   3 metadata*
///     TimeSeries     1 labels*   2 samples*   3 exemplars*   4 histograms*
///     Label          1 name   2 value              Sample   1 value (double)   2 timestamp (ms, varint)
///
/// A series' labels go from protobuf's form to the packed form of `Labels` by copying bytes: one comparison per label says
/// whether they are sorted, and the database looks the packed bytes up. No label becomes a string.
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
    }

    /// The samples read, in the order of the request.
    private(set) var batch = SampleBatch()
    private(set) var notes = Notes()
    /// A series' labels, packed.
    private var packed: [UInt8] = []
    /// Where the labels of a series stand, for those that are not sorted.
    private var pairs: [(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)] = []

    init() {}

    /// Overwrites `batch` and `notes` with the content of `message`. `reference` finds or makes the series.
    mutating func read(
        _ message: UnsafeRawBufferPointer, reference: (UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef
    ) throws(ProtobufError) {
        batch.removeAll()
        notes = Notes()
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            if field.number == 1 && field.wireType == 2 {
                try readSeries(try reader.lengthDelimited(), reference)
            } else {
                try reader.skip(field.wireType)
            }
        }
    }

    private mutating func readSeries(
        _ message: UnsafeRawBufferPointer, _ reference: (UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef
    ) throws(ProtobufError) {
        var reader = ProtobufReader(message)
        var found: SeriesRef?
        packed.removeAll(keepingCapacity: true)
        pairs.removeAll(keepingCapacity: true)
        var previous = UnsafeRawBufferPointer(start: nil, count: 0)
        var isPlain = true
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, 2):
                let (name, value) = try readLabel(try reader.lengthDelimited())
                pairs.append((name, value))
                if value.isEmpty || name.order(against: previous) <= 0 || !name.isASCII || !value.isASCII {
                    isPlain = false
                } else if isPlain {
                    packed.appendLabelPart(name)
                    packed.appendLabelPart(value)
                }
                previous = name
            case (2, 2):
                let sample = try readSample(try reader.lengthDelimited())
                if found == nil {
                    guard let made = lookUp(isPlain, reference) else { return }
                    found = made
                }
                if let found { batch.append(found, at: sample.time, value: sample.value) }
            case (3, 2):
                _ = try reader.lengthDelimited()
                notes.exemplars &+= 1
            case (4, 2):
                _ = try reader.lengthDelimited()
                notes.histograms &+= 1
            default: try reader.skip(field.wireType)
            }
        }
    }

    @inline(__always)
    private func readLabel(
        _ message: UnsafeRawBufferPointer
    ) throws(ProtobufError) -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        var reader = ProtobufReader(message)
        var name = UnsafeRawBufferPointer(start: nil, count: 0), value = name
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, 2): name = try reader.lengthDelimited()
            case (2, 2): value = try reader.lengthDelimited()
            default: try reader.skip(field.wireType)
            }
        }
        return (name, value)
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

    /// The series of the labels read; `nil`, and a note, where there can be none.
    private mutating func lookUp(
        _ isPlain: Bool, _ reference: (UnsafeRawBufferPointer) throws(TSDBError) -> SeriesRef
    ) -> SeriesRef? {
        if !isPlain && !packSlowly() {
            if notes.invalidSeries == 0 { notes.firstInvalid = shown }
            notes.invalidSeries &+= 1
            return nil
        }
        guard hasMetricName else {
            if notes.invalidSeries == 0 { notes.firstInvalid = shown }
            notes.invalidSeries &+= 1
            return nil
        }
        var result: SeriesRef?
        var failure: TSDBError?
        packed.withUnsafeBytes { bytes in
            do throws(TSDBError) { result = try reference(bytes) } catch { failure = error }
        }
        if let failure {
            if notes.refusedSeries == 0 { notes.firstRefusal = failure }
            notes.refusedSeries &+= 1
        }
        return result
    }

    /// Labels that are unsorted, hold empty values or are not plain ASCII. `false` where they may not be.
    private mutating func packSlowly() -> Bool {
        packed.removeAll(keepingCapacity: true)
        let sorted = pairs.sorted { $0.name.order(against: $1.name) < 0 }
        var previous = UnsafeRawBufferPointer(start: nil, count: 0)
        for (name, value) in sorted {
            // An empty value says that there is no such label.
            if name.isEmpty || name.equals(previous) { return false }
            previous = name
            if value.isEmpty { continue }
            guard name.isValidUTF8 && value.isValidUTF8 else { return false }
            packed.appendLabelPart(name)
            packed.appendLabelPart(value)
        }
        return true
    }

    private var hasMetricName: Bool {
        packed.withUnsafeBytes { bytes in
            var cursor = PackedLabelCursor(bytes)
            while let (name, _) = cursor.next() {
                if name.count == 8 && name.elementsEqual("__name__".utf8) { return true }
            }
            return false
        }
    }

    /// The labels as text, bounded; anything may be in them.
    private var shown: String {
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
