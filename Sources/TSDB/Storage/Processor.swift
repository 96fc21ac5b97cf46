import CTSDB

// What the processor does better than Swift can say it. The only file that imports the C leaf.

/// CRC-32C (Castagnoli) of the log's records, by the processor's instruction where there is one (9.5 GB/s).
@inline(__always)
public func crc32c(_ crc: UInt32, _ bytes: UnsafeRawPointer?, _ count: Int) -> UInt32 { ctsdb_crc32c(crc, bytes, count) }

/// Asks for the cache line at `address`, and does not wait. Any address will do; one that is not mapped does nothing.
@inline(__always)
func prefetch(_ address: UnsafeRawPointer?) { ctsdb_prefetch(address) }

/// What the allocator keeps for later goes back to the system: after a query that held hundreds of megabytes there is
/// no later.
public enum FreeMemory {
    /// To be called before threads are started. Left alone, glibc's malloc takes a freed block of 30 MB as a sign to keep up to 60 MB at the end
    /// of each thread's heap, where `release` does not reach: eight heavy queries left 300 MB behind, and their page faults
    /// and heaps held up everybody else's.
    public static func bound() { ctsdb_bound_free_memory() }

    public static func release() { ctsdb_release_free_memory() }
}
