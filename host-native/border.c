/* SPDX-License-Identifier: Apache-2.0 */
/* The border to the core's memory (border.h). */
#include "border.h"

#include <errno.h>
#include <string.h>

#include "runtime.h"
#include "text.h"

int32_t border_begin(struct host *host, bool replies)
{
    if (replies) reply_begin(&host->reply);
    host->reply.words = false;
    return 0;
}

int32_t border_room(struct host *host, uint32_t ptr, uint32_t len, struct room *into)
{
    uint32_t size = host->memory == NULL ? 0 : memory_size(host->memory);
    if (ptr > size || len > size - ptr) {
        return reply_fail(&host->reply, EFAULT, "a pointer outside the memory of the core");
    }
    static char nothing[1];
    into->ptr = len == 0 ? nothing : memory_bytes(host->memory) + ptr;
    into->len = len;
    return 0;
}

int32_t border_bytes(struct host *host, uint32_t ptr, uint32_t len, struct span *into)
{
    struct room room;
    int32_t status = border_room(host, ptr, len, &room);
    if (status == 0) *into = (struct span){room.ptr, room.len};
    return status;
}

int32_t border_text(struct host *host, uint32_t ptr, uint32_t len, struct span *into)
{
    int32_t status = border_bytes(host, ptr, len, into);
    if (status != 0) return status;
    if (memchr(into->ptr, 0, into->len) != NULL) {
        return reply_fail(&host->reply, EILSEQ, "a NUL byte in a text");
    }
    if (!utf8_valid(into->ptr, into->len)) {
        return reply_fail(&host->reply, EILSEQ, "a text that is not UTF-8");
    }
    return 0;
}

uint32_t border_end(struct host *host, int32_t status)
{
    if (status < 0 && !host->reply.words) reply_begin(&host->reply);
    return (uint32_t)status;
}
