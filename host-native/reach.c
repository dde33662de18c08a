/* SPDX-License-Identifier: Apache-2.0 */
/* How far a call may reach (reach.h), and the operation host.confine. */
#include "reach.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "abi.gen.h"
#include "buffer.h"
#include "confine.h"
#include "landlock.h"
#include "plugin.h"
#include "text.h"

/** Far above what any configuration leads to. */
#define LIST_LIMIT_BYTES 65536u

/** Until the core has said more: its locks, where they lie or this variable says. */
static const char FIRST[] = "/run/fairlead";
static const char FIRST_VARIABLE[] = "CNI_FAIRLEAD_STATE_DIR";
static const char VARIABLE[] = "CNI_";
/** Among the folders: the whole of the files. */
static const char ROOT[] = "/";

static enum reach_wish wanted;
static bool confined;
/** Texts, each ended by a NUL byte. */
static struct buffer folders = {.limit = LIST_LIMIT_BYTES};
static struct buffer programs = {.limit = LIST_LIMIT_BYTES};

int32_t reach_begin(enum reach_wish wish)
{
    wanted = wish;
    if (wish != REACH_CONFINED || (landlock_is_there() && confine_has_filters())) return 0;
    return -ENOSYS;
}

/** The text behind this one of a list; the first for NULL, NULL after the last. */
static const char *next(const struct buffer *list, const char *at)
{
    const char *end = list->bytes + list->length;
    at = at == NULL ? list->bytes : at + strlen(at) + 1;
    return at == NULL || at >= end ? NULL : at;
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static const char *first_folder(void)
{
    const char *moved = getenv(FIRST_VARIABLE);
    return moved == NULL || moved[0] == 0 ? FIRST : moved;
}

bool reach_may_write(const char *path)
{
    if (wanted == REACH_FREE) return true;
    if (!confined) return is_below(path, first_folder());
    for (const char *at = next(&folders, NULL); at != NULL; at = next(&folders, at)) {
        if (strcmp(at, ROOT) == 0 || is_below(path, at)) return true;
    }
    return false;
}

/** Whether a folder is one of CNI_PATH. */
static bool is_in_path(const char *folder, size_t length)
{
    const char *rest = getenv("CNI_PATH");
    while (rest != NULL && *rest != 0) {
        size_t entry = strcspn(rest, ":");
        if (entry == length && memcmp(rest, folder, length) == 0) return true;
        rest += entry + (rest[entry] == ':');
    }
    return false;
}

static bool is_named(const char *program)
{
    for (const char *at = next(&programs, NULL); at != NULL; at = next(&programs, at)) {
        if (strcmp(at, program) == 0) return true;
    }
    return false;
}

bool reach_may_execute(struct span path, struct span env)
{
    char text[PATH_MAX];
    if (wanted == REACH_FREE) return true;
    if (path.len == 0 || path.len >= sizeof text || memchr(path.ptr, 0, path.len) != NULL) {
        return false;
    }
    memcpy(text, path.ptr, path.len);
    text[path.len] = 0;
    const char *end = env.ptr + env.len;
    for (const char *at = env.ptr; at < end; at += strlen(at) + 1) {
        if (end[-1] != 0 || strncmp(at, VARIABLE, sizeof VARIABLE - 1) != 0) return false;
    }
    const char *slash = strrchr(text, '/');
    if (slash == NULL) return false;
    if (is_in_path(text, (size_t)(slash - text))) return is_named(slash + 1);
    return is_named(text);
}

bool reach_may_call(struct span path)
{
    for (const char *at = next(&programs, NULL); at != NULL; at = next(&programs, at)) {
        if (span_is(path, at)) return true;
    }
    return wanted == REACH_FREE;
}

/** Takes over a list whose texts are lines: 0 or -errno. */
static int32_t take(struct buffer *list, struct span lines)
{
    for (uint32_t at = 0; at < lines.len;) {
        const char *line = lines.ptr + at;
        const char *stop = memchr(line, '\n', lines.len - at);
        uint32_t length = stop == NULL ? lines.len - at : (uint32_t)(stop - line);
        buffer_append(list, line, length);
        buffer_append(list, "", 1);
        at += length + 1;
    }
    return -list->error;
}

/** Has the kernel allow no more than the folders: 0 or -errno. */
static int32_t hold_to_folders(bool make)
{
    struct landlock held;
    int32_t status = landlock_open(&held);
    if (status < 0) return status;
    for (const char *at = next(&folders, NULL); at != NULL; at = next(&folders, at)) {
        if (strcmp(at, ROOT) == 0) return landlock_forget(&held);
        landlock_allow(&held, at, make);
    }
    return landlock_close(&held);
}

int32_t host_confine(struct host *host, struct span folder_lines, struct span program_lines,
    int32_t make)
{
    // A DEL after a broken ADD asks again; it may do what that might.
    if (wanted == REACH_FREE || confined) return 0;
    int32_t status = take(&folders, folder_lines);
    if (status == 0) status = take(&programs, program_lines);
    if (status < 0) return status;
    confined = true;
    if (programs.length > 0) status = plugin_begin_launcher();
    if (status < 0) return reply_fail(&host->reply, -status, "no process to execute plugins");
    int32_t landlocked = hold_to_folders(make != 0);
    int32_t incapable = confine_capabilities();
    if (wanted != REACH_CONFINED) return 0;
    status = confine_system_calls();
    if (landlocked < 0) return reply_fail(&host->reply, -landlocked, "no Landlock");
    if (incapable < 0) return reply_fail(&host->reply, -incapable, "no capabilities");
    return status < 0 ? reply_fail(&host->reply, -status, "no seccomp filters") : 0;
}
