#include "cclockstate.h"

#ifdef __linux__
#include <string.h>
#include <sys/timex.h>

int cclockstate_read(struct cclockstate *state) {
    struct timex answer;
    memset(&answer, 0, sizeof answer);
    int result = adjtimex(&answer);
    if (result < 0) return -1;
    state->offset = answer.offset;
    state->frequency = answer.freq;
    state->max_error = answer.maxerror;
    state->estimated_error = answer.esterror;
    state->status = answer.status;
    state->constant = answer.constant;
    state->tick = answer.tick;
    state->pps_frequency = answer.ppsfreq;
    state->pps_jitter = answer.jitter;
    state->pps_shift = answer.shift;
    state->pps_stability = answer.stabil;
    state->pps_jitter_count = answer.jitcnt;
    state->pps_calibration_count = answer.calcnt;
    state->pps_error_count = answer.errcnt;
    state->pps_stability_count = answer.stbcnt;
    state->tai = answer.tai;
    return result;
}
#else
int cclockstate_read(struct cclockstate *state) {
    (void)state;
    return -1;
}
#endif
