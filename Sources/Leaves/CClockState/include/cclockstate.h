#ifndef CCLOCKSTATE_H
#define CCLOCKSTATE_H

#include <stdint.h>

// What the kernel's clock discipline says of itself (adjtimex(2)), in the kernel's own units.
struct cclockstate {
    int64_t offset, frequency, max_error, estimated_error, status, constant, tick;
    int64_t pps_frequency, pps_jitter, pps_shift, pps_stability, pps_jitter_count, pps_calibration_count, pps_error_count,
        pps_stability_count, tai;
};

// Fills `state` and changes nothing. Returns the state of the clock (5: not synchronised), or -1 where it cannot be asked.
int cclockstate_read(struct cclockstate *state);

#endif
