#ifndef CTSDB_H
#define CTSDB_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `length` bytes, continuing from `crc` (0 to begin). Uses the CPU's instruction where there is one.
uint32_t ctsdb_crc32c(uint32_t crc, const void *bytes, size_t length);

/// Fixes what glibc's malloc otherwise adapts: blocks from 4 MB on come from the system and go back to it, and at most 256 kB are
/// kept at the end of a heap; does nothing elsewhere.
void ctsdb_bound_free_memory(void);

/// Gives free heap pages back to the system (glibc's malloc_trim); does nothing elsewhere.
void ctsdb_release_free_memory(void);

/// Asks for the cache line at `address` and does not wait for it. Never faults.
static inline void ctsdb_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
