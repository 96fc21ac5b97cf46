#ifndef CSPAWN_H
#define CSPAWN_H

// Adds to the file actions of a posix_spawn (`posix_spawn_file_actions_t *`) that the new program gets no descriptor from `first`
// on. glibc has a function for it that Swift does not see. Elsewhere it does nothing: descriptors close by their own flag.
// Returns 0, or an error number.
int cspawn_close_from(void *actions, int first);

#endif
