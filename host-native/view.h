/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a reply of netlink: bounded views, messages and attributes. It refuses to trust a reply:
 * a length that does not fit makes it malformed, never a read past the end or a loop that stands
 * still.
 */
#ifndef FAIRLEAD_VIEW_H
#define FAIRLEAD_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

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

/** Set by a read outside of a view; looked at after each visit. */
extern bool view_malformed;

/** The next message of a datagram; as attr_next. */
bool message_next(struct view *rest, struct message *message);

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
