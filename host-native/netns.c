/* SPDX-License-Identifier: Apache-2.0 */
/* Open network namespaces, their sockets, and the way home (netns.h). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // setns(2)
#endif
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "abi.gen.h"
#include "linger.h"
#include "text.h"

/** asm-generic/socket.h, Linux 5.14; musl of Debian 12 does not have it. */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

enum {
    /** As many as a process has descriptors for, by default. */
    SPACES_MAX = 1024,
    /** Sockets that are left to a child, which are the host's and hardly ever another. */
    HELD_MAX = 8,
};

struct space {
    int fd;
    struct netlink route;
    struct netlink netfilter;
    struct netlink sock_diag;
    /** /proc/sys/net as this namespace has it; 0 before it is opened. */
    int sysctls;
};

/** By handle; the first is the host's own, whose descriptor is `home_fd`. */
static struct space spaces[SPACES_MAX];
static int32_t last_space;
static int home_fd = -1;

/** Never waits for a fifo's writer, never takes a terminal. */
static const int OPEN_TO_LOOK = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

/** Called where the thread is at home, or was before. */
static int32_t home(struct reply *reply)
{
    if (home_fd >= 0) return home_fd;
    // A socket knows its namespace. A path below /proc leads there too, and costs ten times more.
    struct netlink *socket = &spaces[0].route;
    if (socket->open || netlink_open(socket, reply, NETLINK_ROUTE) == 0) {
        home_fd = ioctl(socket->fd, SIOCGSKNS);
    }
    // Without the capability for that. Not /proc/self: a thread may be elsewhere than its process.
    if (home_fd < 0) home_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return home_fd < 0 ? -errno : home_fd;
}

static int32_t no_handle(struct host *host, int32_t ns)
{
    return reply_fail(&host->reply, EBADF, "no netns handle %d", ns);
}

/** Whether a handle of another namespace than the host's is open. */
static bool given(int32_t ns)
{
    return ns > 0 && ns <= last_space && spaces[ns].fd >= 0;
}

int32_t netns_fd(struct host *host, int32_t ns)
{
    if (ns == 0) return home(&host->reply);
    return given(ns) ? spaces[ns].fd : no_handle(host, ns);
}

static int32_t enter(struct reply *reply, int fd)
{
    int32_t status = home(reply);
    if (status < 0) return status;
    return setns(fd, CLONE_NEWNET) == 0 ? 0 : reply_fail(reply, errno, "setns");
}

/** Whatever this process did next would be done to the wrong namespace. */
static void leave(void)
{
    if (setns(home_fd, CLONE_NEWNET) == 0) return;
    static const char words[] =
        "fairlead: cannot return to the host's network namespace\n";
    if (write(STDERR_FILENO, words, sizeof words - 1) < 0) _exit(EXIT_WRONG_NETNS);
    _exit(EXIT_WRONG_NETNS);
}

int32_t netns_enter(struct host *host, int32_t ns)
{
    if (ns == 0) return 0;
    int32_t fd = netns_fd(host, ns);
    return fd < 0 ? fd : enter(&host->reply, fd);
}

void netns_leave(int32_t ns)
{
    if (ns != 0) leave();
}

int32_t netns_sysctls(int32_t ns)
{
    int *dir = &spaces[ns].sysctls;
    if (*dir > 0) return *dir;
    int fd = open("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    *dir = fd;
    return fd;
}

int32_t netns_socket(struct host *host, int32_t ns, int protocol, struct netlink **into)
{
    if (ns != 0 && !given(ns)) return no_handle(host, ns);
    struct space *space = &spaces[ns];
    struct netlink *socket = &space->route;
    if (protocol == NETLINK_NETFILTER) socket = &space->netfilter;
    if (protocol == NETLINK_SOCK_DIAG) socket = &space->sock_diag;
    *into = socket;
    if (socket->open && !socket->broken) return 0;
    netlink_close(socket);
    int32_t status = netns_enter(host, ns);
    if (status < 0) return status;
    status = netlink_open(socket, &host->reply, protocol);
    netns_leave(ns);
    return status;
}

static int32_t open_space(struct host *host, const char *path)
{
    struct reply *reply = &host->reply;
    struct statfs about;
    if (statfs(path, &about) < 0) return -errno;
    if (about.f_type != NSFS_MAGIC && about.f_type != PROC_SUPER_MAGIC) {
        return reply_fail(reply, EINVAL, "not a namespace: %s", path);
    }
    int32_t ns = 1;
    while (given(ns)) ns++;
    if (ns >= SPACES_MAX) return -EMFILE;
    int fd = open(path, OPEN_TO_LOOK);
    if (fd < 0) return -errno;
    // Entered at once: only so is a namespace of another kind told from a network's.
    int32_t status = enter(reply, fd);
    if (status == -EINVAL) {
        status = reply_fail(reply, EINVAL, "not a network namespace: %s", path);
    }
    if (status < 0) {
        (void)close(fd);
        return status;
    }
    if (ns > last_space) last_space = ns;
    spaces[ns] = (struct space){.fd = fd};
    // While this thread is there; should it fail, the first use of the socket tells why.
    (void)netlink_open(&spaces[ns].route, reply, NETLINK_ROUTE);
    leave();
    return ns;
}

int32_t kernel_netns_open(struct host *host, struct span path)
{
    char text[PATH_MAX];
    if (!span_copy(path, text, sizeof text)) return -ENAMETOOLONG;
    return open_space(host, text);
}

int32_t kernel_netns_same(struct host *host, int32_t a, int32_t b)
{
    struct stat left;
    struct stat right;
    int32_t fd = netns_fd(host, a);
    if (fd < 0) return fd;
    if (fstat(fd, &left) < 0) return -errno;
    fd = netns_fd(host, b);
    if (fd < 0) return fd;
    if (fstat(fd, &right) < 0) return -errno;
    return left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

int32_t kernel_netns_id(struct host *host, int32_t ns)
{
    static char text[48];
    struct netlink *socket;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &socket);
    if (status < 0) return status;
    unsigned long long cookie = 0;
    socklen_t size = sizeof cookie;
    int length = 0;
    if (getsockopt(socket->fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0) {
        length = snprintf(text, sizeof text, "cookie:%llu", cookie);
    } else {
        struct stat stat_of;
        int32_t fd = netns_fd(host, ns);
        if (fd < 0) return fd;
        if (fstat(fd, &stat_of) < 0) return -errno;
        length = snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)stat_of.st_dev,
            (unsigned long long)stat_of.st_ino);
    }
    reply_lend(&host->reply, text, (uint32_t)length);
    return 0;
}

int32_t kernel_netns_close(struct host *host, int32_t ns)
{
    if (ns == 0) return 0;
    if (!given(ns)) return no_handle(host, ns);
    netlink_close(&spaces[ns].route);
    netlink_close(&spaces[ns].netfilter);
    netlink_close(&spaces[ns].sock_diag);
    if (spaces[ns].sysctls > 0) (void)close(spaces[ns].sysctls);
    (void)close(spaces[ns].fd);
    spaces[ns] = (struct space){.fd = -1};
    return 0;
}

void netns_end(void)
{
    int fds[HELD_MAX];
    int count = 0;
    for (int32_t ns = 0; ns <= last_space && count < HELD_MAX; ns++) {
        if (spaces[ns].netfilter.lingers) fds[count++] = spaces[ns].netfilter.fd;
    }
    linger_hold(fds, count);
}
