// Feeds arbitrary bytes to the snappy reader and sends arbitrary bytes through compression and back.
//
//     swiftc -O -sanitize=fuzzer,address -parse-as-library Sources/Leaves/Snappy/*.swift Fuzz/SnappyFuzz.swift -o snappy-fuzz
//     SWIFT_BACKTRACE=enable=no timeout 600 ./snappy-fuzz

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSnappy(_ bytes: UnsafeRawPointer, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: bytes, count: count)
    _ = try? Snappy.decompress(input, limit: 1 << 20)
    let packed = Snappy.compress(input)
    let again = packed.withUnsafeBytes { try? Snappy.decompress($0, limit: count) }
    precondition(again == Array(input), "\(count) bytes do not come back")
    return 0
}
