/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network namespaces that are open, and one netlink socket per namespace and protocol, opened
 * when first needed. A namespace is entered only to open a socket in it or a file of /proc/sys,
 * and left at once; when the way back fails the process ends, with EXIT_WRONG_NETNS.
 * It refuses to know what is said on a socket.
 */
#ifndef FAIRLEAD_NETNS_H
#define FAIRLEAD_NETNS_H

#include <stdint.h>

#include "host.h"
#include "netlink.h"

/** Exit code when the thread cannot leave a namespace it entered. */
#define EXIT_WRONG_NETNS 70

/** The descriptor behind a handle, 0 the host's own; -errno with words when there is none. */
int32_t netns_fd(struct host *host, int32_t ns);

/** The socket of a namespace (protocol NETLINK_…); -errno with words when it cannot be. */
int32_t netns_socket(struct host *host, int32_t ns, int protocol, struct netlink **into);

/** Moves this thread into a namespace, for one action that does not return before it is home. */
int32_t netns_enter(struct host *host, int32_t ns);
void netns_leave(int32_t ns);

/** A descriptor of /proc/sys/net, or -errno; good between netns_enter and netns_leave only. */
int32_t netns_sysctls(int32_t ns);

/** The last call before the process ends: what of its sockets lingers is left to a child. */
void netns_end(void);

#endif
