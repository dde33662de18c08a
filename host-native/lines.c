/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a file of /proc (lines.h). */
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

void lines_open(struct lines *lines, const char *path)
{
    lines->fd = open(path, O_RDONLY | O_CLOEXEC);
    lines->from = 0;
    lines->to = 0;
}

/** Reads more when nothing is left; false at the end. */
static bool more(struct lines *lines)
{
    if (lines->from < lines->to) return true;
    if (lines->fd < 0) return false;
    ssize_t count;
    do {
        count = read(lines->fd, lines->bytes, sizeof lines->bytes);
    } while (count < 0 && errno == EINTR);
    lines->from = 0;
    lines->to = count > 0 ? (uint32_t)count : 0;
    return count > 0;
}

const char *lines_next(struct lines *lines)
{
    uint32_t length = 0;
    bool any = false;
    while (more(lines)) {
        any = true;
        char next = lines->bytes[lines->from++];
        if (next == '\n') break;
        if (length < sizeof lines->line - 1) lines->line[length++] = next;
    }
    lines->line[length] = 0;
    return any ? lines->line : NULL;
}

void lines_close(struct lines *lines)
{
    if (lines->fd >= 0) close(lines->fd);
}
