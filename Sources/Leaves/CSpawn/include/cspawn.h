#ifndef CSPAWN_H
#define CSPAWN_H

#include <sys/types.h>

// Adds to the file actions of a posix_spawn (`posix_spawn_file_actions_t *`) that the new program gets no descriptor from `first`
// on. glibc has a function for it that Swift does not see. Elsewhere it does nothing: descriptors close by their own flag.
// Returns 0, or an error number.
int cspawn_close_from(void *actions, int first);

// Starts a program that leads a process group of its own (a session, where `new_session` is not 0), reads nothing, and writes both
// its outputs to `output`. It gets `death_signal` (0: none) when the calling *thread* ends: on Linux only, where posix_spawn cannot
// say so. Signals are as a fresh program has them, no other descriptor is passed on.
// Returns 0 and the process id, or the error number of what failed: an unknown program is found out here, not in the child.
int cspawn_start(
    const char *path, char *const arguments[], char *const environment[], const char *directory, int output, int death_signal,
    int new_session, pid_t *pid);

// Asks for `signal` when the parent ends (Linux; elsewhere it does nothing). Changing one's user forgets it. Returns 0, or an error
// number.
int cspawn_die_with_parent(int signal);

// A process that outlives its parent just long enough to end what the parent started. It reads records from `input`, a pipe whose
// writing end only the parent has: a process group and the signal it gets when the pipe breaks; signal 0 takes the group off the list.
// A few seconds later what is left gets SIGKILL. Returns 0, or an error number.
struct cspawn_ward {
    int group;
    int signal;
};
int cspawn_guard(int input);

#endif
