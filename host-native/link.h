/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of rtnetlink operations share: asking for a link, checking an ifindex.
 */
#ifndef FAIRLEAD_LINK_H
#define FAIRLEAD_LINK_H

#include <stdint.h>

#include "host.h"
#include "netlink.h"

/** RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h: nobody here counts packets. */
enum { NO_STATISTICS = 1 << 3 };

/**
 * The routing socket of a namespace for an operation on the link `ifindex`, which must be one that
 * may be sent: 0 would mean "any" in a dump and "by name" in a change. -ENODEV then.
 */
int32_t link_socket(struct host *host, int32_t ns, int32_t ifindex, struct netlink **into);

/** Appends struct ifinfomsg; `change` is the mask of the flags to set. */
void request_ifinfomsg(struct request *request, uint8_t family, int32_t ifindex, uint32_t flags,
    uint32_t change);

/** Asks for a link that must be there, its attributes to `visit`. */
int32_t link_visit(struct netlink *netlink, struct reply *reply, int32_t ifindex, visitor *visit,
    void *context);

/** The number of a mode of macvlans or ipvlans in a word of ip(8); -1 when it is none. */
int32_t link_mode(const char *kind, struct span word);

/** Looks for the link that an empty list is of: -ENODEV when there is none. Empties the slot. */
int32_t link_must_exist(struct netlink *netlink, struct reply *reply, int32_t ifindex);

#endif
