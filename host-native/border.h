/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The border to the core's memory, which the generated glue (abi.gen.c) calls around each
 * operation: pointers checked, texts validated, failures given their words. The only way to the
 * core's memory; it refuses to know what an operation means.
 */
#ifndef FAIRLEAD_BORDER_H
#define FAIRLEAD_BORDER_H

#include <stdint.h>

#include "host.h"

/*
 * A row says how an operation crosses: 's' when what passes may hold secrets, 'u' when recordings
 * have nothing of it, else '-'; 'w' when it may wait, else '-'; its reply, j (JSON), b (bytes), t
 * (bytes that are mostly text), v (the status) or n (none); the first letter of its module. Then
 * come its name and, each behind the letter of its type (i, a number; s, a text; b, bytes; o,
 * room), those of its parameters; each ends with a NUL byte, and one more ends the row. Its
 * arguments are numbers, two for all but i: where in the memory, and how many.
 */
enum row_byte { ROW_TOLD, ROW_WAITS, ROW_REPLY, ROW_MODULE, ROW_NAME };

/**
 * Begins an operation, which empties the slot when it leaves a reply, and checks what lies in the
 * memory into `wide`: 0, -EFAULT outside of it, -EILSEQ for a text with a NUL byte or that is not
 * UTF-8.
 */
int32_t border_begin(struct host *host, const char *row, const uint32_t *raw, struct span *wide);

/** What was checked as bytes, to be written. */
struct room border_room(struct span wide);

/** Ends an operation: the status as the core sees it; a failure without words empties the slot. */
uint32_t border_end(struct host *host, const char *row, const uint32_t *raw, int32_t status);

#endif
