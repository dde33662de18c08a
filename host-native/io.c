/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, writing and waiting (io.h). */
#include "io.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const uint32_t CHUNK_BYTES = 4096;
/** Where closing stops on kernels before 5.9, which lack close_range(2). */
static const unsigned FD_MAX = 1024;

/** Waits until a descriptor that does not block is ready. */
static void wait_for(int fd, short events)
{
    struct pollfd ready = {.fd = fd, .events = events};
    poll(&ready, 1, -1);
}

int32_t io_read(int fd, struct buffer *into)
{
    uint32_t left = into->limit - into->length;
    char *room = left == 0 ? NULL : buffer_room(into, left < CHUNK_BYTES ? left : CHUNK_BYTES);
    if (room == NULL) return left == 0 ? -EFBIG : -into->error;
    uint32_t free_bytes = into->capacity - into->length;
    for (;;) {
        ssize_t count = read(fd, room, free_bytes < left ? free_bytes : left);
        if (count >= 0) {
            into->length += (uint32_t)count;
            return (int32_t)count;
        }
        if (errno == EAGAIN) wait_for(fd, POLLIN);
        else if (errno != EINTR) return -errno;
    }
}

int32_t io_write(int fd, const void *bytes, uint32_t length)
{
    const char *rest = bytes;
    while (length > 0) {
        ssize_t count = write(fd, rest, length);
        if (count >= 0) {
            rest += count;
            length -= (uint32_t)count;
        } else if (errno == EAGAIN) {
            wait_for(fd, POLLOUT);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

void io_sleep(uint32_t duration_ms)
{
    struct timespec left = {.tv_sec = duration_ms / 1000};
    left.tv_nsec = (long)(duration_ms % 1000) * 1000000;
    while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

uint64_t io_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void close_range_of(unsigned first, unsigned last)
{
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
    for (unsigned fd = first; fd <= last && fd < FD_MAX; fd++) (void)close((int)fd);
}

void io_close_others(const int *fds, int count)
{
    unsigned from = 0;
    for (;;) {
        unsigned next = ~0U;
        for (int at = 0; at < count; at++) {
            unsigned fd = (unsigned)fds[at];
            if (fd >= from && fd < next) next = fd;
        }
        if (next > from) close_range_of(from, next - 1);
        if (next == ~0U) return;
        from = next + 1;
    }
}
