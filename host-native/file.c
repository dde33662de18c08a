/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.file_read, file_create, file_write, file_rewrite, file_remove, file_before_boot,
 * file_mtime and file_set_mtime: files that appear whole or not at all, but for file_rewrite. It
 * never waits for a fifo, and does not sync to disk: what is stored describes kernel state that
 * a power cut ends too.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "abi.gen.h"
#include "io.h"
#include "lines.h"
#include "path.h"

/** Standard input is as long at most, and so is all that the core writes. */
#define READ_LIMIT_BYTES (64u << 20)

/** Those of the operation that runs: in place of a page of memory for each operation. */
static struct path file;
static struct path temporary;

/** Reads an open regular file: 0 or -errno. */
static int32_t read_all(int fd, uint32_t limit_bytes, struct buffer *into)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0) return -errno;
    if (S_ISDIR(stat.st_mode)) return -EISDIR;
    if (!S_ISREG(stat.st_mode)) return -EINVAL;
    // The size may claim less than comes.
    if (stat.st_size > (off_t)limit_bytes) return -EFBIG;
    for (;;) {
        int32_t count = io_read(fd, into);
        if (count < 0) return count;
        if (into->length > limit_bytes) return -EFBIG;
        if (count == 0) return 0;
    }
}

int32_t file_content(int folder, const char *name, uint32_t limit_bytes, struct buffer *into)
{
    buffer_clear(into);
    int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int32_t status = read_all(fd, limit_bytes, into);
    close(fd);
    return status;
}

int32_t store_file_read(struct host *host, struct span path, int32_t limit_bytes)
{
    static struct buffer content = {.limit = READ_LIMIT_BYTES};
    int32_t status = path_resolve(host, path, &file);
    if (status < 0) return status;
    if (limit_bytes < 0) {
        return reply_fail(&host->reply, EINVAL, "not a limit: %d", limit_bytes);
    }
    status = file_content(AT_FDCWD, file.text, (uint32_t)limit_bytes, &content);
    if (status == -EINVAL) {
        return reply_fail(&host->reply, EINVAL, "not a regular file: %s", file.text);
    }
    if (status == 0) {
        reply_lend(&host->reply, content.bytes == NULL ? "" : content.bytes, content.length);
    }
    return status;
}

/** Writes the content to a new file beside `path`, whose name is put into `made`: 0 or -errno. */
static int32_t write_beside(const struct path *path, struct span content, struct path *made)
{
    static uint32_t count;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int folder = (int)(strrchr(path->text, '/') - path->text);
    // The clock, because two pid namespaces may share a folder and a pid.
    snprintf(made->text, sizeof made->text, "%.*s/" TEMPORARY_PREFIX "%ld-%lld-%ld-%u", folder,
        path->text, (long)getpid(), (long long)now.tv_sec, now.tv_nsec, ++count);
    int fd = open(made->text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0) return -errno;
    int32_t status = io_write(fd, content.ptr, content.len);
    if (close(fd) != 0 && status == 0) status = -errno;
    if (status < 0) unlink(made->text);
    return status;
}

/** Moves the temporary to its place; it is gone afterwards in any case. 0 or -errno. */
static int32_t replace(const struct path *from, const struct path *path)
{
    if (rename(from->text, path->text) == 0) return 0;
    int32_t status = -errno;
    unlink(from->text);
    return status;
}

static bool is_empty_file(const struct path *path)
{
    struct stat stat;
    return lstat(path->text, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size == 0;
}

int32_t store_file_create(struct host *host, struct span path, struct span content,
    int32_t replace_empty)
{
    int32_t status = path_to_write(host, path, &file);
    if (status == 0) status = write_beside(&file, content, &temporary);
    if (status < 0) return status;
    // link, not rename: rename would silently take the place of another's lease.
    if (link(temporary.text, file.text) != 0) status = -errno;
    // Two that replace at once are kept apart by the folder's lock, which the caller holds.
    if (status == -EEXIST && replace_empty != 0 && is_empty_file(&file)) {
        return replace(&temporary, &file);
    }
    unlink(temporary.text);
    return status;
}

int32_t store_file_write(struct host *host, struct span path, struct span content)
{
    int32_t status = path_to_write(host, path, &file);
    if (status == 0) status = write_beside(&file, content, &temporary);
    return status < 0 ? status : replace(&temporary, &file);
}

/** Gives an open regular file its content: 0 or -errno. */
static int32_t rewrite(int fd, struct span content)
{
    struct stat before;
    if (fstat(fd, &before) != 0) return -errno;
    if (!S_ISREG(before.st_mode)) return -EINVAL;
    int32_t status = io_write(fd, content.ptr, content.len);
    if (status == 0 && before.st_size > (off_t)content.len && ftruncate(fd, content.len) != 0) {
        status = -errno;
    }
    return status;
}

int32_t store_file_rewrite(struct host *host, struct span path, struct span content)
{
    // Never another file by a symbolic link, never waits for a fifo's reader.
    const int flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int32_t status = path_to_write(host, path, &file);
    if (status < 0) return status;
    int fd = open(file.text, flags);
    if (fd < 0) return store_file_write(host, path, content);
    status = rewrite(fd, content);
    close(fd);
    if (status != -EINVAL) return status;
    return reply_fail(&host->reply, EINVAL, "not a regular file: %s", file.text);
}

int32_t store_file_remove(struct host *host, struct span path)
{
    int32_t status = path_to_write(host, path, &file);
    if (status < 0) return status;
    return unlink(file.text) == 0 ? 0 : -errno;
}

/** When this machine was started, by its clock of now: btime of proc_stat(5); 0 when not told. */
static long long boot_time_s(void)
{
    // Asked of every lease of a folder: the machine was started once.
    static long long found_s;
    if (found_s != 0) return found_s;
    static struct lines list;
    lines_open(&list, "/proc/stat");
    for (const char *line; found_s == 0 && (line = lines_next(&list)) != NULL;) {
        if (strncmp(line, "btime ", 6) == 0) found_s = atoll(line + 6);
    }
    lines_close(&list);
    return found_s;
}

int32_t store_file_before_boot(struct host *host, struct span path)
{
    struct stat stat_of;
    int32_t status = path_resolve(host, path, &file);
    if (status < 0) return status;
    if (stat(file.text, &stat_of) != 0) return -errno;
    long long boot_s = boot_time_s();
    if (boot_s == 0) return reply_fail(&host->reply, ENOSYS, "no btime in /proc/stat");
    return stat_of.st_mtim.tv_sec < boot_s ? 1 : 0;
}

int32_t store_file_mtime(struct host *host, struct span path)
{
    static char text[32];
    struct stat stat_of;
    int32_t status = path_resolve(host, path, &file);
    if (status < 0) return status;
    if (stat(file.text, &stat_of) != 0) return -errno;
    int length = snprintf(text, sizeof text, "%lld.%09ld", (long long)stat_of.st_mtim.tv_sec,
        stat_of.st_mtim.tv_nsec);
    reply_lend(&host->reply, text, (uint32_t)length);
    return 0;
}

/** Reads SECONDS.NANOSECONDS: one to ten digits, a point, nine digits. */
static bool time_parse(struct span text, struct timespec *into)
{
    const char *c = text.ptr; /* the span's bytes */
    uint32_t point = text.len < 11 ? 0 : text.len - 10;
    if (point < 1 || point > 10 || c[point] != '.') return false;
    long long seconds = 0;
    long nanoseconds = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        if (i == point) continue;
        if (c[i] < '0' || c[i] > '9') return false;
        if (i < point) seconds = seconds * 10 + (c[i] - '0');
        else nanoseconds = nanoseconds * 10 + (c[i] - '0');
    }
    *into = (struct timespec){.tv_sec = seconds, .tv_nsec = nanoseconds};
    return true;
}

int32_t store_file_set_mtime(struct host *host, struct span path, struct span mtime)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
    int32_t status = path_to_write(host, path, &file);
    if (status < 0) return status;
    if (!time_parse(mtime, &times[1])) return reply_fail(&host->reply, EINVAL, "not a time");
    return utimensat(AT_FDCWD, file.text, times, 0) == 0 ? 0 : -errno;
}
