#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

/// Begins to count calls of malloc, calloc and realloc in all threads. Returns false where they cannot be counted.
bool callocations_start(void);

/// Ends counting; returns how many calls there were, and the bytes they asked for.
uint64_t callocations_stop(uint64_t *bytes);

#endif
