/* SPDX-License-Identifier: Apache-2.0 */
/* The border to the core's memory (border.h). */
#include "border.h"

#include <errno.h>
#include <string.h>

#include "runtime.h"
#include "tape.h"
#include "text.h"

static int32_t bytes(struct host *host, const uint32_t *raw, struct span *into)
{
    uint32_t size = host->memory == NULL ? 0 : memory_size(host->memory);
    if (raw[0] > size || raw[1] > size - raw[0]) {
        return reply_fail(&host->reply, EFAULT, "a pointer outside the memory of the core");
    }
    static char nothing[1];
    into->ptr = raw[1] == 0 ? nothing : memory_bytes(host->memory) + raw[0];
    into->len = raw[1];
    return 0;
}

static int32_t text(struct host *host, const struct span *checked)
{
    if (memchr(checked->ptr, 0, checked->len) != NULL) {
        return reply_fail(&host->reply, EILSEQ, "a NUL byte in a text");
    }
    if (!utf8_valid(checked->ptr, checked->len)) {
        return reply_fail(&host->reply, EILSEQ, "a text that is not UTF-8");
    }
    return 0;
}

int32_t border_begin(struct host *host, const char *row, const uint32_t *raw, struct span *wide)
{
    int32_t status = 0;
    if (row[ROW_REPLY] < 'n' || row[ROW_REPLY] == 't') reply_begin(&host->reply);
    host->reply.words = false;
    const char *letter = row + ROW_NAME + strlen(row + ROW_NAME) + 1;
    for (; *letter != 0 && status == 0; letter += strlen(letter) + 1) {
        if (*letter == 'i') {
            raw++;
            continue;
        }
        status = bytes(host, raw, wide);
        if (status == 0 && *letter == 's') status = text(host, wide);
        raw += 2;
        wide++;
    }
    if (status == 0 && tape_runs) tape_operation(row);
    return status;
}

struct room border_room(struct span wide)
{
    return (struct room){(char *)(uintptr_t)wide.ptr, wide.len};
}

uint32_t border_end(struct host *host, const char *row, const uint32_t *raw, int32_t status)
{
    if (status < 0 && !host->reply.words) reply_begin(&host->reply);
    if (tape_runs) tape_note(host, row, raw, status);
    return (uint32_t)status;
}
