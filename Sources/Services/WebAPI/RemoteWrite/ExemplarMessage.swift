import TSDB

/// An exemplar of a remote-write request.
///
///     Exemplar   1 labels*   2 value (double)   3 timestamp (ms, varint)
///
/// Source: prompb/types.proto.
enum ExemplarMessage {
    /// `nil` where its labels may not be: empty or repeated names, not UTF-8. Without a timestamp it stands at 0.
    static func read(_ message: UnsafeRawBufferPointer) throws(ProtobufError) -> Exemplar? {
        var pairs: [(name: String, value: String)] = []
        var names: Set<String> = []
        var value = 0.0
        var time: Int64 = 0
        var isValid = true
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, 2):
                let (name, text) = try label(try reader.lengthDelimited())
                guard let name = String(validating: name, as: UTF8.self),
                    let text = String(validating: text, as: UTF8.self),
                    !name.isEmpty, names.insert(name).inserted
                else {
                    isValid = false
                    continue
                }
                pairs.append((name, text))
            case (2, 1): value = Double(bitPattern: try reader.fixed64())
            case (3, 0): time = Int64(bitPattern: try reader.varint())
            default: try reader.skip(field.wireType)
            }
        }
        guard isValid else { return nil }
        return Exemplar(Labels(pairs), value: value, at: Timestamp(milliseconds: time), hasOwnTimestamp: time != 0)
    }

    private static func label(
        _ message: UnsafeRawBufferPointer
    ) throws(ProtobufError) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
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
}
