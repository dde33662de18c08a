/* Reading, writing and waiting (io.h). */
#include "io.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

static const uint32_t CHUNK_BYTES = 4096;

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
