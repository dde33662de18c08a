/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations on sysctls of host-node/abi/: files below /proc/sys/net, which show the network
 * namespace of the thread that opens them. It refuses every other path.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "abi.gen.h"
#include "netns.h"
#include "text.h"

enum { READ_BYTES = 4096 };

static const char NET[] = "net/";

static bool plain_segment(const char *at, size_t length)
{
    return length > 0 && !(length == 1 && at[0] == '.') &&
           !(length == 2 && at[0] == '.' && at[1] == '.');
}

/** Whether a key is a plain path below net/. */
static bool below_net(struct span key)
{
    uint32_t prefix = sizeof NET - 1;
    if (key.len <= prefix || memcmp(key.ptr, NET, prefix) != 0) return false;
    const char *end = key.ptr + key.len;
    for (const char *at = key.ptr + prefix; at <= end;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        if (slash == NULL) slash = end;
        if (!plain_segment(at, (size_t)(slash - at))) return false;
        at = slash + 1;
    }
    return true;
}

/** Opens the file of a sysctl with the thread in its namespace: a descriptor, or -errno. */
static int32_t open_sysctl(struct host *host, int32_t ns, struct span key, int flags)
{
    struct reply *reply = &host->reply;
    char path[PATH_MAX];
    const uint32_t prefix = sizeof NET - 1;
    if (!below_net(key)) {
        return reply_fail(reply, EINVAL, "not a sysctl of a network namespace: %.*s",
            (int)key.len, key.ptr);
    }
    const struct span below = {key.ptr + prefix, key.len - prefix};
    if (!span_copy(below, path, sizeof path)) return -ENAMETOOLONG;
    int32_t status = netns_enter(host, ns);
    if (status < 0) return status;
    // To look /proc/sys/net up takes the longer the more namespaces there are: once is enough.
    int32_t dir = netns_sysctls(ns);
    int fd = dir < 0 ? -1 : openat(dir, path, flags | O_CLOEXEC);
    int error = dir < 0 ? -dir : errno;
    netns_leave(ns);
    return fd < 0 ? -error : fd;
}

int32_t kernel_sysctl_read(struct host *host, int32_t ns, struct span key)
{
    struct reply *reply = &host->reply;
    int32_t fd = open_sysctl(host, ns, key, O_RDONLY);
    if (fd < 0) return fd;
    for (;;) {
        char *room = buffer_room(&reply->buffer, READ_BYTES);
        if (room == NULL) break;
        ssize_t length = read(fd, room, READ_BYTES);
        if (length < 0) {
            int error = errno;
            (void)close(fd);
            return -error;
        }
        if (length == 0) break;
        reply->buffer.length += (uint32_t)length;
    }
    (void)close(fd);
    struct buffer *value = &reply->buffer;
    if (value->length > 0 && value->bytes[value->length - 1] == '\n') value->length--;
    return reply_end(reply);
}

int32_t kernel_sysctl_write(struct host *host, int32_t ns, struct span key, struct span value)
{
    int32_t fd = open_sysctl(host, ns, key, O_WRONLY);
    if (fd < 0) return fd;
    struct reply *reply = &host->reply;
    reply_begin(reply);
    reply_bytes(reply, value.ptr, value.len);
    reply_bytes(reply, "\n", 1);
    int32_t status = reply_end(reply);
    // In one piece: each write sets the value.
    if (status == 0 && write(fd, reply->buffer.bytes, reply->buffer.length) < 0) status = -errno;
    (void)close(fd);
    reply_begin(reply);
    return status;
}
