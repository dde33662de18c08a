/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every file of the native host shares: the host of one process, and the shapes in which the
 * core's arguments arrive (abi.gen.h has the operations). It refuses to know what an operation
 * means.
 *
 * Conventions: an operation returns >= 0 for its value or -errno; words that explain a failure go
 * to the reply slot by reply_fail. A span or room has been checked against the core's memory and
 * is good until the operation returns. Nothing here is for two threads at once.
 */
#ifndef FAIRLEAD_HOST_H
#define FAIRLEAD_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "reply.h"

struct wasm_memory;

/** A text (UTF-8 without NUL, not NUL-terminated) or bytes in the core's memory. */
struct span {
    const char *ptr;
    uint32_t len;
};

/** Bytes in the core's memory that may be written. */
struct room {
    char *ptr;
    uint32_t len;
};

/** One per process. */
struct host {
    /** The memory of the instance that runs; NULL before there is one. */
    const struct wasm_memory *memory;
    /** The reply of the last operation, or the words of its failure. */
    struct reply reply;
    /** The last words of a core that panicked; "" else. NUL-terminated. */
    char panic[1024];
};

#endif
