/*
 * A conversation with the kernel over one netlink socket: a request and its acknowledgement, a
 * dump and its end, or a batch that the kernel takes whole or not at all. It owns the building of
 * requests, sequence numbers, retries of dumps and the kernel's extended error texts.
 * It refuses to trust a reply: a length that does not fit is EBADMSG, never a read past the end or
 * a loop that stands still. Numbers are little-endian, as on both machines it ships for.
 */
#ifndef FAIRLEAD_NETLINK_H
#define FAIRLEAD_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

/** A socket; all zero before it is opened. */
struct netlink {
    int fd;
    bool open;
    /** An exchange ended half way, so that its replies may still come: open another. */
    bool broken;
    /** Its close would wait: see linger_hold. */
    bool lingers;
};

/** One request under construction, in the buffer that all requests share. */
struct request;

/** A bounded stretch of a reply. */
struct view {
    const uint8_t *at;
    const uint8_t *end;
};

/** One message of a reply: its body is what follows struct nlmsghdr. */
struct message {
    uint16_t type;
    uint16_t flags;
    uint32_t sequence;
    struct view body;
};

/** An attribute; the type is without NLA_F_NESTED. linux/netlink.h nlattr. */
struct attr {
    uint16_t type;
    struct view value;
};

/** Is given each message of a reply; writes what it is worth to the slot or the context. */
typedef void visitor(struct reply *reply, const struct message *message, void *context);
/** Makes a visitor's context forget what it noted: a dump begins, or begins again. */
typedef void forgetter(void *context);

/** Opens a socket in the namespace this thread is in: 0, or -errno with words. */
int32_t netlink_open(struct netlink *netlink, struct reply *reply, int protocol);

void netlink_close(struct netlink *netlink);

/** Begins an acknowledged request; NLM_F_REQUEST and NLM_F_ACK are added. */
struct request *request_command(uint16_t type, uint16_t flags);
/** Begins a dump. */
struct request *request_dump(uint16_t type);
/** Appends a header or a value as it is. What does not fit makes the request fail: EMSGSIZE. */
void request_append(struct request *request, const void *bytes, uint32_t length);
void request_attr(struct request *request, uint16_t type, const void *bytes, uint32_t length);
void request_u8(struct request *request, uint16_t type, uint8_t value);
void request_u32(struct request *request, uint16_t type, uint32_t value);
/** A NUL-terminated string. */
void request_text(struct request *request, uint16_t type, struct span text);
/** Opens an attribute that holds others; give the result to request_end. */
uint32_t request_nest(struct request *request, uint16_t type);
/** The same without NLA_F_NESTED, for what is not made of attributes only. */
uint32_t request_plain(struct request *request, uint16_t type);
/** Closes what request_nest or request_plain opened, padded to four bytes. */
void request_end(struct request *request, uint32_t start);

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

/** The next attribute; false at the end, or when one overruns it: the reply is malformed then. */
bool attr_next(struct view *rest, struct attr *attr);
/** The number at an offset; 0 when it does not lie inside: the reply is malformed then. */
uint8_t view_u8(struct view view, size_t offset);
uint16_t view_u16(struct view view, size_t offset);
uint32_t view_u32(struct view view, size_t offset);
int32_t view_i32(struct view view, size_t offset);
/** The rest from an offset. */
struct view view_from(struct view view, size_t offset);
/** Text up to the first NUL or the end. */
struct span view_text(struct view view);
uint32_t view_length(struct view view);
/** Notes that the reply being visited is malformed: EBADMSG when the visitor returns. */
void reply_malformed(void);

#endif
