#ifndef WEBFILES_H
#define WEBFILES_H

#include <stddef.h>

/// One file of web/, as it is in the source tree.
struct webfile {
    /// Path below web/, with slashes: "query/QueryPage.js".
    const char *name;
    const unsigned char *bytes;
    size_t size;
};

/// All files of the UI; they live as long as the process. `*count` becomes their number.
const struct webfile *webfiles_all(size_t *count);

#endif
