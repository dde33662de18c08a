/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a reply of netlink (view.h). */
#include "view.h"

#include <linux/netlink.h>
#include <string.h>

/** Without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
enum { TYPE_MASK = 0x3fff };

bool view_malformed;

void reply_malformed(void)
{
    view_malformed = true;
}

uint32_t view_length(struct view view)
{
    return (uint32_t)(view.end - view.at);
}

static void read_number(struct view view, size_t offset, void *into, size_t size)
{
    size_t length = view_length(view);
    if (offset > length || size > length - offset) {
        view_malformed = true;
        memset(into, 0, size);
    } else {
        memcpy(into, view.at + offset, size);
    }
}

uint8_t view_u8(struct view view, size_t offset)
{
    uint8_t value;
    read_number(view, offset, &value, sizeof value);
    return value;
}

uint16_t view_u16(struct view view, size_t offset)
{
    uint16_t value;
    read_number(view, offset, &value, sizeof value);
    return value;
}

uint32_t view_u32(struct view view, size_t offset)
{
    uint32_t value;
    read_number(view, offset, &value, sizeof value);
    return value;
}

int32_t view_i32(struct view view, size_t offset)
{
    return (int32_t)view_u32(view, offset);
}

struct view view_from(struct view view, size_t offset)
{
    if (offset > view_length(view)) {
        view_malformed = true;
        return (struct view){view.end, view.end};
    }
    return (struct view){view.at + offset, view.end};
}

struct span view_text(struct view view)
{
    uint32_t length = view_length(view);
    return (struct span){(const char *)view.at, (uint32_t)strnlen((const char *)view.at, length)};
}

/** Steps over `size` bytes and their padding, of which the last may lack. */
static void step(struct view *rest, uint32_t size)
{
    uint32_t padded = (size + 3) & ~3U;
    uint32_t length = view_length(*rest);
    rest->at += padded < length ? padded : length;
}

bool attr_next(struct view *rest, struct attr *attr)
{
    uint32_t length = view_length(*rest);
    if (length == 0 || view_malformed) return false;
    struct nlattr header = {0};
    read_number(*rest, 0, &header, sizeof header);
    if (view_malformed || header.nla_len < sizeof header || header.nla_len > length) {
        view_malformed = true;
        return false;
    }
    attr->type = header.nla_type & TYPE_MASK;
    attr->value = (struct view){rest->at + sizeof header, rest->at + header.nla_len};
    step(rest, header.nla_len);
    return true;
}

bool message_next(struct view *rest, struct message *message)
{
    uint32_t length = view_length(*rest);
    if (length == 0 || view_malformed) return false;
    struct nlmsghdr header = {0};
    read_number(*rest, 0, &header, sizeof header);
    if (view_malformed || header.nlmsg_len < sizeof header || header.nlmsg_len > length) {
        view_malformed = true;
        return false;
    }
    *message = (struct message){
        .type = header.nlmsg_type,
        .flags = header.nlmsg_flags,
        .sequence = header.nlmsg_seq,
        .body = {rest->at + sizeof header, rest->at + header.nlmsg_len},
    };
    step(rest, header.nlmsg_len);
    return true;
}
