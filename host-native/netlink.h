/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation with the kernel over one netlink socket: a request and its acknowledgement, a
 * dump and its end, or a batch that the kernel takes whole or not at all. It owns retries of
 * dumps and the kernel's extended error texts. It refuses to read replies itself: visitors do.
 */
#ifndef FAIRLEAD_NETLINK_H
#define FAIRLEAD_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "request.h"
#include "view.h"

/** A socket; all zero before it is opened. */
struct netlink {
    int fd;
    bool open;
    /** An exchange ended half way, so that its replies may still come: open another. */
    bool broken;
    /** Its close would wait: see linger_hold. */
    bool lingers;
};

/** Is given each message of a reply; writes what it is worth to the slot or the context. */
typedef void visitor(struct reply *reply, const struct message *message, void *context);
/** Makes a visitor's context forget what it noted: a dump begins, or begins again. */
typedef void forgetter(void *context);

/** Opens a socket in the namespace this thread is in: 0, or -errno with words. */
int32_t netlink_open(struct netlink *netlink, struct reply *reply, int protocol);

void netlink_close(struct netlink *netlink);

/** Performs a request: 0, or -errno with the kernel's words. */
int32_t netlink_run(struct netlink *netlink, struct reply *reply, struct request *request);

/** Performs a request that has replies. */
int32_t netlink_get(struct netlink *netlink, struct reply *reply, struct request *request,
    visitor *visit, void *context);

/**
 * Performs a dump, again when the kernel says that it changed meanwhile (NLM_F_DUMP_INTR), with
 * the slot as it was before and after `forget` (NULL for none); EINTR when it did so five times.
 */
int32_t netlink_dump(struct netlink *netlink, struct reply *reply, struct request *request,
    visitor *visit, forgetter *forget, void *context);

/** Performs a dump whose messages are the elements of a list, which goes into the slot. */
int32_t netlink_list(struct netlink *netlink, struct reply *reply, struct request *request,
    visitor *visit, void *context);

/**
 * Sends a batch (linux/netfilter/nfnetlink.h): messages between a begin and an end, of which the
 * last before the end asks for an acknowledgement. Gives the first error the kernel tells.
 */
int32_t netlink_transact(struct netlink *netlink, struct reply *reply, struct span batch);

/** Whether a batch has a message of such a type. */
bool netlink_batch_has(struct span batch, bool (*such)(uint16_t type));

/**
 * Sends a request from a child, and gives 0 as soon as the kernel has said, by a message of the
 * type `done`, that what was asked for has happened (NLM_F_ECHO), though it may not be through with
 * it; or the verdict, when that comes first. See linger.h.
 */
int32_t netlink_run_early(struct netlink *netlink, struct reply *reply, struct request *request,
    uint16_t done);

#endif
