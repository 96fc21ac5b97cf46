import CAllocations

/// Counts calls of `malloc` and its kin: every array, string beyond 15 bytes, class instance, closure context and raw
/// buffer is one. Where it is not glibc's `malloc` (macOS, musl, under a sanitizer) there is no count.
///
/// The only file that imports `CAllocations`, which says how it is done.
struct AllocationCount: Equatable, Sendable {
    var calls: Int
    var bytes: Int

    /// What `body` allocates, in all threads; `nil` where it cannot be counted.
    static func counting(_ body: () async throws -> Void) async throws -> AllocationCount? {
        let canCount = callocations_start()
        var bytes: UInt64 = 0
        do {
            try await body()
        } catch {
            _ = callocations_stop(&bytes)
            throw error
        }
        let calls = callocations_stop(&bytes)
        return canCount ? AllocationCount(calls: Int(clamping: calls), bytes: Int(clamping: bytes)) : nil
    }
}
