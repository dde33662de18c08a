/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.dir_make, dir_list and file_list: folders and the short texts in them. Names are
 * sorted bytewise; the names this host makes up, and files that vanish meanwhile, are passed over.
 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi.gen.h"
#include "file.h"
#include "shapes.gen.h"
#include "text.h"

#define NAMES_LIMIT_BYTES (64u << 20)

/** Names of a folder's files, one behind the other, each ended by a NUL byte. */
struct names {
    struct buffer bytes;
    uint32_t count;
    /** One per name, after names_sort; to be freed. */
    const char **sorted;
};

static bool is_folder(const struct path *path)
{
    struct stat stat_of;
    return stat(path->text, &stat_of) == 0 && S_ISDIR(stat_of.st_mode);
}

int32_t folder_make(const struct path *dir)
{
    if (mkdir(dir->text, DIR_MODE) == 0) return 0;
    if (errno == EEXIST) return is_folder(dir) ? 0 : -EEXIST;
    if (errno != ENOENT) return -errno;
    struct path above = *dir;
    for (;;) {
        char *slash = strrchr(above.text, '/');
        if (slash == NULL || slash == above.text) return -ENOENT;
        // A slash at the end or a second one beside it makes no folder of its own.
        bool empty = slash[1] == 0;
        *slash = 0;
        if (!empty) break;
    }
    int32_t status = folder_make(&above);
    if (status == -EEXIST) return -ENOTDIR;
    if (status < 0) return status;
    return mkdir(dir->text, DIR_MODE) == 0 || errno == EEXIST ? 0 : -errno;
}

int32_t store_dir_make(struct host *host, struct span dir)
{
    static struct path path;
    int32_t status = path_to_write(host, dir, &path);
    return status < 0 ? status : folder_make(&path);
}

/** Whether an entry is a regular file; `follow`: or a link that leads to one. */
static bool is_file(DIR *folder, const struct dirent *entry, bool follow)
{
    if (strncmp(entry->d_name, TEMPORARY_PREFIX, sizeof TEMPORARY_PREFIX - 1) == 0) return false;
    if (entry->d_type == DT_REG) return true;
    if (entry->d_type != DT_UNKNOWN && !(follow && entry->d_type == DT_LNK)) return false;
    struct stat stat;
    int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    return fstatat(dirfd(folder), entry->d_name, &stat, flags) == 0 && S_ISREG(stat.st_mode);
}

/** Whether an entry is a folder, or a link that leads to one. */
static bool is_subdir(DIR *folder, const struct dirent *entry)
{
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) return false;
    if (entry->d_type == DT_DIR) return true;
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK) return false;
    struct stat stat;
    return fstatat(dirfd(folder), entry->d_name, &stat, 0) == 0 && S_ISDIR(stat.st_mode);
}

/** Opens a folder: NULL and -errno in `status` when it cannot be. */
static DIR *open_folder(struct host *host, struct span dir, int32_t *status)
{
    static struct path path;
    *status = path_resolve(host, dir, &path);
    if (*status < 0) return NULL;
    DIR *folder = opendir(path.text);
    if (folder == NULL) *status = -errno;
    return folder;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/** Makes `sorted` of the names: 0 or -errno. */
static int32_t names_sort(struct names *names)
{
    if (names->bytes.error != 0) return -names->bytes.error;
    names->sorted = calloc(names->count + 1, sizeof *names->sorted);
    if (names->sorted == NULL) return -ENOMEM;
    const char *at = names->bytes.bytes;
    for (uint32_t i = 0; i < names->count; i++, at += strlen(at) + 1) names->sorted[i] = at;
    qsort(names->sorted, names->count, sizeof *names->sorted, compare);
    return 0;
}

static void names_add(struct names *names, const char *name)
{
    buffer_append(&names->bytes, name, (uint32_t)strlen(name) + 1);
    names->count++;
}

static void names_free(struct names *names)
{
    buffer_free(&names->bytes);
    free(names->sorted);
}

/** The files of a folder, sorted: 0 or -errno. */
static int32_t names_of(DIR *folder, bool follow, struct names *names)
{
    struct dirent *entry;
    for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0) {
        if (is_file(folder, entry, follow)) names_add(names, entry->d_name);
    }
    return errno != 0 ? -errno : names_sort(names);
}

/** A list of names as the reply. */
static int32_t reply_names(struct reply *reply, const struct names *names)
{
    reply_list(reply);
    for (uint32_t i = 0; i < names->count; i++) reply_json_text(reply, names->sorted[i]);
    reply_list_end(reply);
    return reply_end(reply);
}

int32_t store_dir_list(struct host *host, struct span dir)
{
    struct names names = {.bytes = {.limit = NAMES_LIMIT_BYTES}};
    int32_t status;
    DIR *folder = open_folder(host, dir, &status);
    if (folder == NULL) return status;
    status = names_of(folder, true, &names);
    closedir(folder);
    if (status == 0) status = reply_names(&host->reply, &names);
    names_free(&names);
    return status;
}

int32_t store_subdir_list(struct host *host, struct span dir)
{
    struct names names = {.bytes = {.limit = NAMES_LIMIT_BYTES}};
    int32_t status;
    struct dirent *entry;
    DIR *folder = open_folder(host, dir, &status);
    if (folder == NULL) return status;
    for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0) {
        if (is_subdir(folder, entry)) names_add(&names, entry->d_name);
    }
    status = errno != 0 ? -errno : names_sort(&names);
    closedir(folder);
    if (status == 0) status = reply_names(&host->reply, &names);
    names_free(&names);
    return status;
}

int32_t store_file_list(struct host *host, struct span dir)
{
    static struct buffer content = {.limit = LISTED_MAX_BYTES + 1};
    struct names names = {.bytes = {.limit = NAMES_LIMIT_BYTES}};
    struct reply *reply = &host->reply;
    int32_t status;
    DIR *folder = open_folder(host, dir, &status);
    if (folder == NULL) return status;
    status = names_of(folder, false, &names);
    if (status == 0) {
        reply_list(reply);
        for (uint32_t i = 0; i < names.count; i++) {
            int32_t read = file_content(dirfd(folder), names.sorted[i], LISTED_MAX_BYTES, &content);
            struct named_text_shape file = {.name = span_of(names.sorted[i])};
            if (read == 0 && utf8_valid(content.bytes, content.length)) {
                file.content = (struct span){content.length > 0 ? content.bytes : "",
                    content.length};
            }
            write_named_text(reply, &file);
        }
        reply_list_end(reply);
        status = reply_end(reply);
    }
    closedir(folder);
    names_free(&names);
    return status;
}
