/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin.socket_call: a conversation with a process that listens on a socket of the file system,
 * with bounds on its time and length. It refuses to read what is said.
 */
#include "socket-call.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "abi.gen.h"
#include "io.h"
#include "text.h"

/** Waits until the socket is ready: 0, -ETIMEDOUT or -errno. */
static int32_t wait_for(int fd, short events, uint64_t deadline_ms)
{
    for (;;) {
        uint64_t now_ms = io_now_ms();
        if (now_ms >= deadline_ms) return -ETIMEDOUT;
        struct pollfd polled = {.fd = fd, .events = events};
        int count = poll(&polled, 1, (int)(deadline_ms - now_ms));
        if (count > 0) return 0;
        if (count < 0 && errno != EINTR) return -errno;
    }
}

/** A listener whose queue is full says EAGAIN: 0 or -errno. */
static int32_t reach_listener(int fd, struct span path, uint64_t deadline_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!span_copy(path, address.sun_path, sizeof address.sun_path)) return -ENAMETOOLONG;
    while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        if (errno != EAGAIN && errno != EINTR) return -errno;
        if (io_now_ms() >= deadline_ms) return -ETIMEDOUT;
        io_sleep(1);
    }
    return 0;
}

static int32_t say(int fd, struct span bytes, uint64_t deadline_ms)
{
    while (bytes.len > 0) {
        int32_t status = wait_for(fd, POLLOUT, deadline_ms);
        if (status < 0) return status;
        ssize_t count = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN && errno != EINTR) return -errno;
        if (count > 0) {
            bytes.ptr += count;
            bytes.len -= (uint32_t)count;
        }
    }
    return 0;
}

/** Hears more: the number of bytes, 0 at the end, or -errno. */
static int32_t hear(int fd, struct buffer *into, uint64_t deadline_ms)
{
    int32_t status = wait_for(fd, POLLIN, deadline_ms);
    return status < 0 ? status : io_read(fd, into);
}

static int32_t converse(int fd, const struct order *order, struct buffer *heard)
{
    uint64_t limit_ms = order->timeout_ms > 0 ? (uint64_t)order->timeout_ms : 0;
    uint64_t deadline_ms = io_now_ms() + limit_ms;
    int32_t status = reach_listener(fd, order->path, deadline_ms);
    if (status < 0 || order->env.len == 0) return status;
    status = say(fd, order->env, deadline_ms);
    int32_t count = status < 0 ? status : hear(fd, heard, deadline_ms);
    if (count > 0) {
        status = say(fd, order->input, deadline_ms);
        if (status < 0) return status;
        shutdown(fd, SHUT_WR);
    }
    while (count > 0) count = hear(fd, heard, deadline_ms);
    return count;
}

int32_t socket_talk(struct host *host, const struct order *order)
{
    static struct buffer heard = {.limit = OUTPUT_MAX_BYTES};
    buffer_clear(&heard);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int32_t status = converse(fd, order, &heard);
    close(fd);
    if (status < 0) return reply_fail(&host->reply, -status, "%s", strerror(-status));
    reply_bytes(&host->reply, heard.bytes, heard.length);
    return reply_end(&host->reply);
}
