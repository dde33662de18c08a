/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.dir_lock and dir_unlock: the flock on DIR/lock that host-local takes. Every wait has an
 * end, and says who was waited for. Handles are never given out twice.
 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "abi.gen.h"
#include "folder.h"
#include "io.h"
#include "lines.h"
#include "path.h"

#define LOCKS_MAX 64
#define WAKE_AGAIN_US 20000

struct lock {
    /** 0: not in use. */
    int32_t handle;
    int fd;
};

static struct lock locks[LOCKS_MAX];

/** Where a field of a line begins, counted from 0; the line's end when there are fewer. */
static const char *field(const char *line, unsigned number)
{
    for (; number > 0; number--) {
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    return line;
}

/** One line of proc_locks(5): the process that holds a flock on that inode, 0 for another line. */
static long holder_in(const char *line, ino_t inode)
{
    // 1: FLOCK  ADVISORY  WRITE 42 fe:00:1234 0 EOF; those that wait have an arrow for FLOCK.
    if (strncmp(field(line, 1), "FLOCK ", 6) != 0) return 0;
    const char *minor = strchr(field(line, 5), ':');
    const char *found = minor == NULL ? NULL : strchr(minor + 1, ':');
    long pid = atol(field(line, 4));
    return found != NULL && (ino_t)atoll(found + 1) == inode && pid > 0 ? pid : 0;
}

/** "process 42 (portmap)" for who holds the flock on a file; "another process" when unknown. */
static void holder_of(int fd, char *into, size_t size)
{
    static struct lines list;
    snprintf(into, size, "another process");
    struct stat stat;
    if (fstat(fd, &stat) != 0) return;
    lines_open(&list, "/proc/locks");
    long pid = 0;
    for (const char *line; pid == 0 && (line = lines_next(&list)) != NULL;) {
        pid = holder_in(line, stat.st_ino);
    }
    lines_close(&list);
    if (pid == 0) return;
    snprintf(into, size, "process %ld", pid);
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    lines_open(&list, path);
    const char *name = lines_next(&list);
    if (name != NULL) snprintf(into, size, "process %ld (%s)", pid, name);
    lines_close(&list);
}

/** Opens the lock file, with its folder when that may be made: a descriptor or -errno. */
static int32_t open_lock(const struct path *dir, const struct path *file, bool create)
{
    // NONBLOCK: a fifo of that name must not hold us.
    const int flags = O_CREAT | O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = open(file->text, flags, LOCK_MODE);
    if (fd >= 0) return fd;
    if (errno != ENOENT || !create) return -errno;
    int32_t made = folder_make(dir);
    if (made < 0) return made;
    fd = open(file->text, flags, LOCK_MODE);
    return fd < 0 ? -errno : fd;
}

static void wake(int signal)
{
    (void)signal;
}

/** flock(2) that waits, until the deadline: 0, -EINTR after it, or another -errno. */
static int32_t flock_until(int fd, uint64_t deadline_ms)
{
    // Those who wait so get the lock in the order of asking, as soon as it is free. Only a signal
    // ends the wait. The timer goes off again: once may be just before the wait begins.
    const struct itimerval never = {0};
    struct sigaction before;
    sigset_t mask_before;
    sigset_t alarm;
    struct sigaction action = {.sa_handler = wake};
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigaction(SIGALRM, &action, &before);
    sigprocmask(SIG_UNBLOCK, &alarm, &mask_before);
    int32_t status = -EINTR;
    for (uint64_t now_ms = io_now_ms(); status == -EINTR && now_ms < deadline_ms;) {
        uint64_t left_ms = deadline_ms - now_ms;
        struct itimerval timer = {
            .it_value = {(time_t)(left_ms / 1000), (suseconds_t)(left_ms % 1000 * 1000)},
            .it_interval = {.tv_usec = WAKE_AGAIN_US},
        };
        setitimer(ITIMER_REAL, &timer, NULL);
        status = flock(fd, LOCK_EX) == 0 ? 0 : -errno;
        now_ms = io_now_ms();
    }
    setitimer(ITIMER_REAL, &never, NULL);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
    sigaction(SIGALRM, &before, NULL);
    return status;
}

/** Waits for the flock: 0, or -errno, with words after -ETIMEDOUT. */
static int32_t wait_for(struct host *host, int fd, const struct path *file, int32_t timeout_ms)
{
    uint64_t deadline_ms = io_now_ms() + (timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EAGAIN && errno != EINTR) return -errno;
    int32_t status = flock_until(fd, deadline_ms);
    if (status != -EINTR) return status;
    char holder[128];
    holder_of(fd, holder, sizeof holder);
    return reply_fail(&host->reply, ETIMEDOUT, "%s is held by %s, waited %d ms", file->text, holder,
        timeout_ms);
}

int32_t store_dir_lock(struct host *host, struct span dir, int32_t create, int32_t timeout_ms)
{
    static int32_t last;
    static struct path folder, file;
    int32_t status = path_to_write(host, dir, &folder);
    if (status == 0) status = path_join(&folder, "lock", &file);
    if (status < 0) return status;
    struct lock *lock = locks;
    while (lock < locks + LOCKS_MAX && lock->handle != 0) lock++;
    if (lock == locks + LOCKS_MAX) return -EMFILE;
    int32_t fd = open_lock(&folder, &file, create != 0);
    if (fd < 0) return fd;
    status = wait_for(host, fd, &file, timeout_ms);
    if (status < 0) {
        close(fd);
        return status;
    }
    *lock = (struct lock){++last, fd};
    return last;
}

int32_t store_dir_unlock(struct host *host, int32_t handle)
{
    for (struct lock *lock = locks; lock < locks + LOCKS_MAX; lock++) {
        if (handle == 0 || lock->handle != handle) continue;
        close(lock->fd);
        lock->handle = 0;
        return 0;
    }
    return reply_fail(&host->reply, EBADF, "no lock handle %d", handle);
}

void lock_release_all(void)
{
    for (struct lock *lock = locks; lock < locks + LOCKS_MAX; lock++) {
        if (lock->handle != 0) close(lock->fd);
        lock->handle = 0;
    }
}
