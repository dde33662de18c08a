/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading, writing and waiting, to the end and through signals. It owns the loops around the
 * system calls, nothing of what is read or written.
 */
#ifndef FAIRLEAD_IO_H
#define FAIRLEAD_IO_H

#include <stdint.h>

#include "buffer.h"

/**
 * Reads once, as much as comes, and appends it; waits on a descriptor that does not block. Gives
 * the count, 0 at the end, or -errno.
 */
int32_t io_read(int fd, struct buffer *into);

/** Writes all of it, waiting where it must. Gives 0 or -errno. */
int32_t io_write(int fd, const void *bytes, uint32_t length);

/** Sleeps that long, whatever signals come. */
void io_sleep(uint32_t duration_ms);

/** Closes all descriptors but these. */
void io_close_others(const int *fds, int count);

/** A clock that only goes forward. */
uint64_t io_now_ms(void);

#endif
