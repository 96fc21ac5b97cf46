import TSDB
import Testing

@Suite("XXH64")
struct XXHash64Tests {
    /// Vectors of github.com/cespare/xxhash, which upstream uses.
    @Test(
        "gives the known hashes, below and above one block of 32 bytes",
        arguments: [
            ("", 0xef46_db37_51d8_e999), ("a", 0xd24e_c4f1_a98c_6e5b), ("as", 0x1c33_0fb2_d66b_e179),
            ("asd", 0x631c_37ce_72a9_7393), ("asdf", 0x4158_72f5_99ce_a71e),
            ("Call me Ishmael. Some years ago--never mind how long precisely-", 0x02a2_e854_70d6_fd96),
        ] as [(String, UInt64)])
    func vectors(_ text: String, _ wanted: UInt64) {
        #expect(Array(text.utf8).withUnsafeBytes { XXHash64.hash($0) } == wanted)
    }

    @Test("a label set is hashed as upstream packs it: a length of one byte, or of four from 255 on")
    func labels() {
        func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { XXHash64.hash($0) } }
        #expect(Labels().upstreamHash == 0xef46_db37_51d8_e999)
        #expect(Labels(["a": "bc"]).upstreamHash == hash([1, 97, 2, 98, 99]))
        for size in [254, 255, 300, 70_000] {
            let value = String(repeating: "v", count: size)
            let length: [UInt8] =
                size < 255 ? [254] : [255, UInt8(size & 255), UInt8(size >> 8 & 255), UInt8(size >> 16)]
            #expect(Labels(["a": value]).upstreamHash == hash([1, 97] + length + Array(value.utf8)))
        }
    }
}
