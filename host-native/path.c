/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the store operations (path.h). */
#include "path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reach.h"
#include "text.h"

/** Whether one of the parts between slashes is "..". */
static bool climbs(const char *path)
{
    for (const char *part = path;; part++) {
        size_t length = strcspn(part, "/");
        if (length == 2 && memcmp(part, "..", 2) == 0) return true;
        part += length;
        if (*part == 0) return false;
    }
}

int32_t path_resolve(struct host *host, struct span span, struct path *into)
{
    if (span.len >= PATH_MAX) return -ENAMETOOLONG;
    if (!span_copy(span, into->text, PATH_MAX) || into->text[0] != '/' || climbs(into->text)) {
        return reply_fail(&host->reply, EINVAL, "not an absolute path without \"..\": \"%.*s\"",
            (int)span.len, span.ptr);
    }
    return 0;
}

int32_t path_to_write(struct host *host, struct span span, struct path *into)
{
    int32_t status = path_resolve(host, span, into);
    if (status < 0 || reach_may_write(into->text)) return status;
    return reply_fail(&host->reply, EPERM, "not below a folder that this call may write to");
}

int32_t path_join(const struct path *folder, const char *name, struct path *into)
{
    int length = snprintf(into->text, sizeof into->text, "%s/%s", folder->text, name);
    return length < 0 || (size_t)length >= sizeof into->text ? -ENAMETOOLONG : 0;
}
