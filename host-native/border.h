/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The border to the core's memory, which the generated glue (abi.gen.c) calls around each
 * operation: pointers checked, texts validated, failures given their words. The only way to the
 * core's memory; it refuses to know what an operation means.
 */
#ifndef FAIRLEAD_BORDER_H
#define FAIRLEAD_BORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

/** Begins an operation; `replies`: it leaves a reply, so the slot is emptied. Gives 0. */
int32_t border_begin(struct host *host, bool replies);

/** Checks a text: -EFAULT outside the memory, -EILSEQ for a NUL byte or what is not UTF-8. */
int32_t border_text(struct host *host, uint32_t ptr, uint32_t len, struct span *into);

/** Checks bytes: -EFAULT outside the memory. */
int32_t border_bytes(struct host *host, uint32_t ptr, uint32_t len, struct span *into);

/** Checks room that may be written: -EFAULT outside the memory. */
int32_t border_room(struct host *host, uint32_t ptr, uint32_t len, struct room *into);

/** Ends an operation: the status as the core sees it; a failure without words empties the slot. */
uint32_t border_end(struct host *host, int32_t status);

#endif
