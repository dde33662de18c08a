/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow, up to a bound: replies, standard input, what a program prints. It refuses to
 * grow past its limit; a failure sticks, so that a writer checks once, at its end.
 */
#ifndef FAIRLEAD_BUFFER_H
#define FAIRLEAD_BUFFER_H

#include <stdint.h>

struct buffer {
    char *bytes;
    uint32_t length;
    uint32_t capacity;
    /** No more than this; beyond, `error` is EFBIG. */
    uint32_t limit;
    /** 0, ENOMEM or EFBIG: what kept the buffer from growing. It has lost bytes then. */
    int32_t error;
};

/** Empties it, keeping its memory. */
void buffer_clear(struct buffer *buffer);

/** Makes room for `more` bytes behind its end; gives where they go, NULL when there is none. */
char *buffer_room(struct buffer *buffer, uint32_t more);

/** Appends bytes. */
void buffer_append(struct buffer *buffer, const void *bytes, uint32_t length);

/** Gives its memory back. */
void buffer_free(struct buffer *buffer);

#endif
