#include "callocations.h"

#include <stdatomic.h>
#include <stddef.h>

// glibc lets a program bring its own malloc, and keeps the original under other names. So the program's malloc is glibc's
// with a look at a flag in front: one relaxed load and a branch that is always predicted, below a nanosecond, while nobody counts.
// (mallinfo2 knows what is held, not what passed through; the Swift runtime's hook for objects cannot be used from
// outside, since turning it on breaks the registers that retain promises to keep.)

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1 // These bring a malloc of their own.
#endif
#endif

static atomic_bool counting;
static atomic_uint_fast64_t calls, total_bytes;

#if defined(__GLIBC__) && !defined(UNDER_SANITIZER)
#define COUNTS_CALLS 1

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static inline void note(size_t size) {
    if (__builtin_expect(atomic_load_explicit(&counting, memory_order_relaxed), 0)) {
        atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&total_bytes, size, memory_order_relaxed);
    }
}

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note(count * size); // Only for counting; calloc itself sees an overflow.
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    note(size);
    return __libc_realloc(old, size);
}
#else
#define COUNTS_CALLS 0
#endif

bool callocations_start(void) {
    atomic_store(&calls, 0);
    atomic_store(&total_bytes, 0);
    atomic_store(&counting, COUNTS_CALLS);
    return COUNTS_CALLS;
}

uint64_t callocations_stop(uint64_t *bytes) {
    atomic_store(&counting, false);
    *bytes = atomic_load(&total_bytes);
    return atomic_load(&calls);
}
