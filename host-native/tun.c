/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making taps by /dev/net/tun, the operation link_add_tap of host-node/abi/: no message of
 * rtnetlink does. It refuses to open one that is there, and to read or write packets.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi.gen.h"
#include "netns.h"
#include "text.h"

/** Who may open it, when nobody in particular. */
enum { ANYBODY = -1 };

static int32_t set_interface(int fd, struct span name, bool multi_queue)
{
    struct ifreq request = {0};
    // Without a name the kernel would choose one.
    if (name.len == 0 || !span_copy(name, request.ifr_name, sizeof request.ifr_name)) {
        return -EINVAL;
    }
    unsigned flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL;
    request.ifr_flags = (short)(multi_queue ? flags | IFF_MULTI_QUEUE : flags);
    if (ioctl(fd, TUNSETIFF, &request) == 0) return 0;
    // Only a name that is taken is busy for who asks for one of his own.
    return errno == EBUSY ? -EEXIST : -errno;
}

/** Gives a tap to who asked for it, for good. */
static int32_t keep(int fd, int32_t owner, int32_t group)
{
    if (owner != ANYBODY && ioctl(fd, TUNSETOWNER, (unsigned long)(uint32_t)owner) < 0) {
        return -errno;
    }
    if (group != ANYBODY && ioctl(fd, TUNSETGROUP, (unsigned long)(uint32_t)group) < 0) {
        return -errno;
    }
    return ioctl(fd, TUNSETPERSIST, 1UL) < 0 ? -errno : 0;
}

int32_t kernel_link_add_tap(struct host *host, int32_t ns, struct span name, int32_t multi_queue,
    int32_t owner, int32_t group)
{
    int32_t status = netns_enter(host, ns);
    if (status < 0) return status;
    // What is made with it is in the namespace of the thread that opens it.
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    status = fd < 0 ? -errno : 0;
    netns_leave(ns);
    if (status < 0) return status;
    status = set_interface(fd, name, multi_queue != 0);
    // A tap that is not kept goes when it is closed.
    if (status == 0) status = keep(fd, owner, group);
    (void)close(fd);
    return status;
}
