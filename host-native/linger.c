/* SPDX-License-Identifier: Apache-2.0 */
/* Children that wait for the kernel (linger.h). */
#include "linger.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io.h"

enum {
    LINGER_S = 4,
    /** The kernel is done after some 20 ms, but a close waits for what others delete as well. */
    HOLD_S = 1,
    /** More at a time is no faster: the kernel's waits are what they share. */
    CHILDREN_MAX = 32,
};

static pid_t children[CHILDREN_MAX];

/** Whether a child may be left behind. */
static bool may_leave(void)
{
    // An orphan's zombie is its namespace's init to reap. One that executes plugins itself, in a
    // container, may know only the children it has made: there this process waits.
    return getppid() != 1;
}

/** Makes this child one that nobody waits for and that waits for nobody; it keeps just `fds`. */
static void settle(const int *fds, int count)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)signal(SIGALRM, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)alarm(LINGER_S);
    // A caller reads the pipes to their end, and the lock of a folder is given back by its close.
    io_close_others(fds, count);
    (void)setsid();
    (void)chdir("/");
}

pid_t linger_send(int fd, const void *bytes, size_t length)
{
    if (!may_leave()) return -1;
    int free_at = -1;
    for (int at = 0; at < CHILDREN_MAX && free_at < 0; at++) {
        if (children[at] == 0 || !linger_alive(children[at])) free_at = at;
    }
    if (free_at < 0) return -1;
    pid_t child = fork();
    if (child != 0) {
        if (child > 0) children[free_at] = child;
        return child;
    }
    settle(&fd, 1);
    (void)send(fd, bytes, length, 0);
    _exit(0);
}

bool linger_alive(pid_t child)
{
    pid_t gone = waitpid(child, NULL, WNOHANG);
    if (gone == 0) return true;
    for (int at = 0; at < CHILDREN_MAX; at++) {
        if (children[at] == child) children[at] = 0;
    }
    return false;
}

void linger_hold(const int *fds, int count)
{
    if (count == 0 || !may_leave() || fork() != 0) return;
    settle(fds, count);
    struct timespec rest = {.tv_sec = HOLD_S};
    (void)nanosleep(&rest, NULL);
    _exit(0);
}
