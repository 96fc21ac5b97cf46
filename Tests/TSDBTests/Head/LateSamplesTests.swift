import Support
import TSDB
import Testing

@Suite("Batches that take no late samples")
struct LateSamplesTests {
    @Test("their late samples are refused even inside the out-of-order window; those in order are stored")
    func refused() throws {
        let base: Int64 = 1_700_000_000_000
        var options = DatabaseOptions()
        options.outOfOrderWindow = .hours(2)
        let database = Database.inMemory(options: options, clock: ManualClock(Timestamp(milliseconds: base + 60_000)))
        let reference = try database.reference(for: ["__name__": "c"])
        var batch = SampleBatch()
        batch.append(reference, at: Timestamp(milliseconds: base), value: 5)
        #expect(try database.append(batch).storedCount == 1)
        for takesLateSamples in [false, true] {
            batch.removeAll()
            batch.takesLateSamples = takesLateSamples
            batch.append(reference, at: Timestamp(milliseconds: base - 1000), value: 0)
            #expect(try database.append(batch)[0] == (takesLateSamples ? .stored : .outOfOrder))
        }
        batch.removeAll()
        batch.takesLateSamples = false
        batch.append(reference, at: Timestamp(milliseconds: base + 1000), value: 6)
        #expect(try database.append(batch)[0] == .stored)
    }
}
