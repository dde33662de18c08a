/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the kernel over netlink (request.h). */
#include "request.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

static struct request the_request;
static uint32_t last_sequence;

void request_append(struct request *request, const void *bytes, uint32_t length)
{
    if (request->overflow || length > REQUEST_MAX_BYTES - request->length) {
        request->overflow = true;
        return;
    }
    if (length > 0) memcpy(request->bytes + request->length, bytes, length);
    request->length += length;
}

static struct request *begin(uint16_t type, int flags)
{
    struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST)};
    the_request.length = 0;
    the_request.overflow = false;
    request_append(&the_request, &header, sizeof header);
    return &the_request;
}

struct request *request_command(uint16_t type, uint16_t flags)
{
    return begin(type, flags | NLM_F_ACK);
}

struct request *request_dump(uint16_t type)
{
    return begin(type, NLM_F_DUMP);
}

uint32_t request_plain(struct request *request, uint16_t type)
{
    struct nlattr attr = {.nla_type = type};
    uint32_t start = request->length;
    request_append(request, &attr, sizeof attr);
    return start;
}

uint32_t request_nest(struct request *request, uint16_t type)
{
    return request_plain(request, type | NLA_F_NESTED);
}

void request_end(struct request *request, uint32_t start)
{
    static const uint8_t padding[NLA_ALIGNTO];
    if (request->overflow) return;
    uint16_t length = (uint16_t)(request->length - start);
    memcpy(request->bytes + start, &length, sizeof length);
    request_append(request, padding, -request->length % NLA_ALIGNTO);
}

void request_attr(struct request *request, uint16_t type, const void *bytes, uint32_t length)
{
    uint32_t start = request_plain(request, type);
    request_append(request, bytes, length);
    request_end(request, start);
}

void request_u8(struct request *request, uint16_t type, uint8_t value)
{
    request_attr(request, type, &value, sizeof value);
}

void request_u32(struct request *request, uint16_t type, uint32_t value)
{
    request_attr(request, type, &value, sizeof value);
}

void request_text(struct request *request, uint16_t type, struct span text)
{
    uint32_t start = request_plain(request, type);
    request_append(request, text.ptr, text.len);
    request_append(request, "", 1);
    request_end(request, start);
}

int32_t request_seal(struct reply *reply, struct request *request)
{
    if (request->overflow) return reply_fail(reply, EMSGSIZE, "request too long");
    struct nlmsghdr header;
    memcpy(&header, request->bytes, sizeof header);
    header.nlmsg_len = request->length;
    header.nlmsg_seq = request_sequence();
    memcpy(request->bytes, &header, sizeof header);
    return 0;
}

uint32_t request_sequence(void)
{
    return ++last_sequence;
}

uint32_t request_last_sequence(void)
{
    return last_sequence;
}
