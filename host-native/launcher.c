/* SPDX-License-Identifier: Apache-2.0 */
/* A process that executes foreign plugins for a confined one (launcher.h). */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"
#include "path.h"

/** Standard input is at most this long, and so is an environment. */
#define PART_LIMIT_BYTES (16u << 20)

/** Before the three parts of an order. */
struct order_head {
    uint32_t path;
    uint32_t env;
    uint32_t input;
    int32_t timeout_ms;
    uint32_t call;
};

/** Before the bytes of a slot. */
struct answer_head {
    int32_t status;
    uint32_t length;
    uint32_t words;
};

static int channel = -1;
static pid_t process;

/** Reads just so many bytes behind what the buffer has: 0 or -errno, -EPIPE at the end. */
static int32_t take(int fd, struct buffer *into, uint32_t length)
{
    char *room = buffer_room(into, length);
    if (room == NULL) return -into->error;
    for (uint32_t at = 0; at < length;) {
        ssize_t count = read(fd, room + at, length - at);
        if (count == 0) return -EPIPE;
        if (count < 0 && errno != EINTR) return -errno;
        if (count > 0) at += (uint32_t)count;
    }
    into->length += length;
    return 0;
}

/** Reads a head: as take. */
static int32_t take_head(int fd, void *head, uint32_t length)
{
    struct buffer buffer = {.bytes = head, .capacity = length, .limit = length};
    return take(fd, &buffer, length);
}

/** One order, one answer: 0, or -errno when the other side is gone. */
static int32_t serve_one(int fd, struct host *host, executor *execute)
{
    static struct buffer parts = {.limit = 2 * PART_LIMIT_BYTES + PATH_MAX};
    struct order_head head;
    int32_t status = take_head(fd, &head, sizeof head);
    if (status < 0) return status;
    if (head.path > PATH_MAX || head.env > PART_LIMIT_BYTES || head.input > PART_LIMIT_BYTES) {
        return -EMSGSIZE;
    }
    buffer_clear(&parts);
    status = take(fd, &parts, head.path + head.env + head.input);
    if (status < 0) return status;
    const char *env = parts.bytes + head.path;
    struct order order = {
        {parts.bytes, head.path}, {env, head.env}, {env + head.env, head.input}, head.timeout_ms,
        head.call != 0};
    reply_begin(&host->reply);
    struct answer_head answer = {.status = execute(host, &order)};
    const char *shown = reply_shown(&host->reply, &answer.length);
    answer.words = host->reply.words;
    status = io_write(fd, &answer, sizeof answer);
    return status < 0 ? status : io_write(fd, shown, answer.length);
}

/** The process: orders until the other side is gone. */
_Noreturn static void serve_orders(int fd, executor *execute)
{
    static struct host host;
    // Whoever called the plugin reads its output to the end, and the locks are that process's.
    const int kept[] = {STDERR_FILENO, fd};
    io_close_others(kept, 2);
    while (serve_one(fd, &host, execute) == 0) continue;
    _exit(0);
}

int32_t launcher_begin(executor *execute)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -errno;
    process = fork();
    if (process == 0) {
        close(ends[0]);
        serve_orders(ends[1], execute);
    }
    close(ends[1]);
    channel = ends[0];
    return process < 0 ? -errno : 0;
}

bool launcher_is_there(void)
{
    return channel >= 0;
}

int32_t launcher_ask(struct host *host, const struct order *order)
{
    if (order->path.len > PATH_MAX) return -ENAMETOOLONG;
    if (order->env.len > PART_LIMIT_BYTES || order->input.len > PART_LIMIT_BYTES) return -E2BIG;
    struct order_head head = {
        order->path.len, order->env.len, order->input.len, order->timeout_ms, order->call};
    int32_t status = io_write(channel, &head, sizeof head);
    if (status == 0) status = io_write(channel, order->path.ptr, order->path.len);
    if (status == 0) status = io_write(channel, order->env.ptr, order->env.len);
    if (status == 0) status = io_write(channel, order->input.ptr, order->input.len);
    struct answer_head answer;
    if (status == 0) status = take_head(channel, &answer, sizeof answer);
    if (status == 0) status = take(channel, &host->reply.buffer, answer.length);
    if (status < 0) {
        return reply_fail(&host->reply, EIO, "the process that executes plugins is gone");
    }
    host->reply.words = answer.words != 0;
    return answer.status;
}

void launcher_end(void)
{
    if (channel < 0) return;
    close(channel);
    channel = -1;
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR) continue;
}
