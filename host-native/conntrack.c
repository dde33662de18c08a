/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operation on tracked flows of host-node/abi/ over ctnetlink: a dump, and a request for
 * each flow that is meant. It decides nothing.
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <string.h>

#include "abi.gen.h"
#include "ip.h"
#include "netns.h"

enum {
    CTNETLINK = NFNL_SUBSYS_CTNETLINK << 8,
    /** Of the attributes that name flows to the kernel; some 80 bytes a flow. */
    NAMES_LIMIT_BYTES = 64 << 20,
};

/** Which flows; an address of length 0 is any. */
struct meant {
    int32_t protocol;
    int32_t dport;
    int32_t dport_end;
    struct ip dst;
    struct ip reply_src;
    /** The attributes that name each flow, after their length. */
    struct buffer names;
};

struct tuple {
    struct view src;
    struct view dst;
    uint8_t protocol;
    uint16_t dport;
};

static struct tuple parse_tuple(struct view tuple)
{
    struct tuple parsed = {0};
    struct attr part;
    while (attr_next(&tuple, &part)) {
        struct attr attr;
        while (part.type == CTA_TUPLE_IP && attr_next(&part.value, &attr)) {
            if (attr.type == CTA_IP_V4_SRC || attr.type == CTA_IP_V6_SRC) parsed.src = attr.value;
            if (attr.type == CTA_IP_V4_DST || attr.type == CTA_IP_V6_DST) parsed.dst = attr.value;
        }
        while (part.type == CTA_TUPLE_PROTO && attr_next(&part.value, &attr)) {
            if (attr.type == CTA_PROTO_NUM) parsed.protocol = view_u8(attr.value, 0);
            if (attr.type != CTA_PROTO_DST_PORT) continue;
            // A number of the network's byte order.
            parsed.dport = (uint16_t)(view_u8(attr.value, 0) << 8 | view_u8(attr.value, 1));
        }
    }
    return parsed;
}

static bool is(const struct ip *wanted, struct view bytes)
{
    if (wanted->length == 0) return true;
    return view_length(bytes) == wanted->length &&
        memcmp(bytes.at, wanted->bytes, wanted->length) == 0;
}

/** Notes an attribute as it will be sent. */
static void note(struct buffer *names, uint16_t type, struct view value)
{
    static const char padding[NLA_ALIGNTO];
    uint32_t length = view_length(value);
    struct nlattr header = {.nla_type = type};
    header.nla_len = (uint16_t)(sizeof header + length);
    buffer_append(names, &header, sizeof header);
    buffer_append(names, value.at, length);
    buffer_append(names, padding, -length % NLA_ALIGNTO);
}

static void visit_flow(struct reply *reply, const struct message *message, void *context)
{
    (void)reply;
    struct meant *meant = context;
    struct buffer *names = &meant->names;
    struct tuple original = {0};
    struct tuple answers = {0};
    bool both[2] = {false, false};
    uint32_t start = names->length;
    uint32_t length = 0;
    buffer_append(names, &length, sizeof length);
    struct view attrs = view_from(message->body, sizeof(struct nfgenmsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == CTA_TUPLE_ORIG) {
            original = parse_tuple(attr.value);
            both[0] = true;
            note(names, CTA_TUPLE_ORIG | NLA_F_NESTED, attr.value);
        } else if (attr.type == CTA_TUPLE_REPLY) {
            answers = parse_tuple(attr.value);
            both[1] = true;
        } else if (attr.type == CTA_ID || attr.type == CTA_ZONE) {
            note(names, attr.type, attr.value);
        }
    }
    if (!both[0] || !both[1]) reply_malformed();
    bool wanted = original.protocol == meant->protocol && original.dport >= meant->dport &&
        original.dport <= meant->dport_end && is(&meant->dst, original.dst) &&
        is(&meant->reply_src, answers.src);
    if (!wanted) names->length = start;
    if (!wanted || names->error != 0) return;
    length = names->length - start - (uint32_t)sizeof length;
    memcpy(names->bytes + start, &length, sizeof length);
}

static void forget_flows(void *context)
{
    struct meant *meant = context;
    buffer_clear(&meant->names);
}

static struct request *generic(struct request *request, int32_t family)
{
    struct nfgenmsg body = {.nfgen_family = (uint8_t)family, .version = NFNETLINK_V0};
    request_append(request, &body, sizeof body);
    return request;
}

/** Has the kernel forget the flows that were noted: how many there were, or -errno. */
static int32_t forget_all(struct netlink *netlink, struct reply *reply, int32_t family,
    const struct buffer *names)
{
    int32_t gone = 0;
    for (uint32_t at = 0; at < names->length;) {
        uint32_t length;
        memcpy(&length, names->bytes + at, sizeof length);
        at += (uint32_t)sizeof length;
        struct request *del = generic(request_command(CTNETLINK | IPCTNL_MSG_CT_DELETE, 0), family);
        request_append(del, names->bytes + at, length);
        at += length;
        int32_t status = netlink_run(netlink, reply, del);
        // ENOENT: its time was over meanwhile.
        if (status < 0 && status != -ENOENT) return status;
        if (status == 0) gone++;
    }
    return gone;
}

int32_t kernel_conntrack_del(struct host *host, int32_t ns, int32_t family, int32_t protocol,
    struct span dst, int32_t dport, int32_t dport_end, struct span reply_src)
{
    static struct meant meant = {.names = {.limit = NAMES_LIMIT_BYTES}};
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    meant.protocol = protocol;
    meant.dport = dport;
    meant.dport_end = dport_end;
    meant.dst.length = 0;
    meant.reply_src.length = 0;
    int32_t status = netns_socket(host, ns, NETLINK_NETFILTER, &netlink);
    if (status == 0 && dst.len > 0) status = ip_parse(reply, dst, &meant.dst);
    if (status == 0 && reply_src.len > 0) status = ip_parse(reply, reply_src, &meant.reply_src);
    if (status < 0) return status;
    struct request *list = generic(request_dump(CTNETLINK | IPCTNL_MSG_CT_GET), family);
    status = netlink_dump(netlink, reply, list, visit_flow, forget_flows, &meant);
    if (status < 0) return status;
    if (meant.names.error != 0) return -meant.names.error;
    return forget_all(netlink, reply, family, &meant.names);
}
