/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a file of /proc, one after the other. It refuses to keep a line that is longer than
 * its buffer: what is too much of it is left out.
 */
#ifndef FAIRLEAD_LINES_H
#define FAIRLEAD_LINES_H

#include <stdint.h>

struct lines {
    int fd;
    /** What was read and not yet given. */
    uint32_t from;
    uint32_t to;
    char bytes[4096];
    char line[256];
};

/** Opens a file; `fd` is negative when that fails. */
void lines_open(struct lines *lines, const char *path);

/** The next line without its end, until the next call; NULL after the last. */
const char *lines_next(struct lines *lines);

void lines_close(struct lines *lines);

#endif
