/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of the module `host`: the reply slot, standard input, words for humans, waiting,
 * and a panic's last words. It refuses to read what passes through.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "abi.gen.h"
#include "hold.h"
#include "io.h"
#include "runtime.h"

#define STDIN_LIMIT_BYTES (64u << 20)

int32_t host_reply_len(struct host *host)
{
    uint32_t length;
    reply_shown(&host->reply, &length);
    return (int32_t)length;
}

int32_t host_reply_read(struct host *host, struct room into)
{
    uint32_t length;
    const char *shown = reply_shown(&host->reply, &length);
    uint32_t count = length < into.len ? length : into.len;
    if (count > 0) memcpy(into.ptr, shown, count);
    return (int32_t)count;
}

int32_t host_stdin_read(struct host *host, int32_t limit_bytes)
{
    // Kept: a DEL after a panic reads it again.
    static struct buffer input = {.limit = STDIN_LIMIT_BYTES};
    static bool done;
    uint32_t limit = limit_bytes < 0 ? 0 : (uint32_t)limit_bytes;
    while (!done && input.length <= limit) {
        int32_t count = io_read(STDIN_FILENO, &input);
        if (count < 0) return count;
        done = count == 0;
    }
    hold_signals();
    if (input.length > limit) return -EFBIG;
    reply_lend(&host->reply, input.bytes == NULL ? "" : input.bytes, input.length);
    return 0;
}

int32_t host_log(struct host *host, struct span text)
{
    (void)host;
    io_write(STDERR_FILENO, text.ptr, text.len);
    io_write(STDERR_FILENO, "\n", 1);
    return 0;
}

int32_t host_sleep(struct host *host, int32_t duration_ms)
{
    (void)host;
    if (duration_ms > 0) io_sleep((uint32_t)duration_ms);
    return 0;
}

int32_t host_panic(struct host *host, struct span msg, struct span file, int32_t line, int32_t col)
{
    snprintf(host->panic, sizeof host->panic, "%.*s at %.*s:%d:%d", (int)msg.len, msg.ptr,
        (int)file.len, file.ptr, line, col);
    runtime_trap();
}
