/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations on policy routing rules of host-node/abi/ over rtnetlink. It decides nothing.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include "abi.gen.h"
#include "ip.h"
#include "netns.h"
#include "shapes.gen.h"

/** A table beyond the byte of struct fib_rule_hdr goes into FRA_TABLE. */
enum { TABLE_BYTE_MAX = 255 };

/** ip rule add and del: `type` is RTM_NEWRULE or RTM_DELRULE. */
static int32_t change(struct host *host, uint16_t type, uint16_t flags, int32_t ns,
    struct span src, int32_t table, int32_t priority)
{
    struct netlink *netlink;
    struct prefix prefix;
    int32_t status = prefix_parse(&host->reply, src, &prefix);
    if (status < 0) return status;
    // As a rule for all sources it would match whatever else is asked for when it is deleted.
    if (prefix.length == 0) {
        return reply_fail(&host->reply, EINVAL, "not a source of some packets: %.*s",
            (int)src.len, src.ptr);
    }
    status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status < 0) return status;
    bool wide = (uint32_t)table > TABLE_BYTE_MAX;
    struct fib_rule_hdr body = {
        .family = prefix.family,
        .src_len = prefix.length,
        .table = (uint8_t)(wide ? RT_TABLE_COMPAT : table),
        .action = FR_ACT_TO_TBL,
    };
    struct request *rule = request_command(type, flags);
    request_append(rule, &body, sizeof body);
    request_attr(rule, FRA_SRC, prefix.ip.bytes, prefix.ip.length);
    if (wide) request_u32(rule, FRA_TABLE, (uint32_t)table);
    if (priority != 0) request_u32(rule, FRA_PRIORITY, (uint32_t)priority);
    return netlink_run(netlink, &host->reply, rule);
}

int32_t kernel_fib_rule_add(struct host *host, int32_t ns, struct span src, int32_t table,
    int32_t priority)
{
    return change(host, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, ns, src, table, priority);
}

int32_t kernel_fib_rule_del(struct host *host, int32_t ns, struct span src, int32_t table,
    int32_t priority)
{
    return change(host, RTM_DELRULE, 0, ns, src, table, priority);
}

static void visit_rule(struct reply *reply, const struct message *message, void *context)
{
    (void)context;
    struct view body = message->body;
    uint8_t family = view_u8(body, offsetof(struct fib_rule_hdr, family));
    if (family != AF_INET && family != AF_INET6) return;
    char src[IP_TEXT_MAX];
    uint32_t src_length = 0;
    struct fib_rule_shape rule = {.table = view_u8(body, offsetof(struct fib_rule_hdr, table))};
    // A destination, a type of service, "not".
    rule.more = view_u8(body, offsetof(struct fib_rule_hdr, dst_len)) != 0 ||
        view_u8(body, offsetof(struct fib_rule_hdr, tos)) != 0 ||
        view_u8(body, offsetof(struct fib_rule_hdr, action)) != FR_ACT_TO_TBL ||
        (view_u32(body, offsetof(struct fib_rule_hdr, flags)) & FIB_RULE_INVERT) != 0;
    struct view attrs = view_from(body, sizeof(struct fib_rule_hdr));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        switch (attr.type) {
        case FRA_SRC:
            src_length = ip_format(attr.value, src);
            src_length += (uint32_t)snprintf(src + src_length, sizeof src - src_length, "/%d",
                view_u8(body, offsetof(struct fib_rule_hdr, src_len)));
            break;
        case FRA_PRIORITY: rule.priority = view_u32(attr.value, 0); break;
        case FRA_TABLE: rule.table = view_u32(attr.value, 0); break;
        case FRA_SUPPRESS_PREFIXLEN: rule.more |= view_i32(attr.value, 0) != -1; break;
        case FRA_PAD: break;
        case FRA_PROTOCOL: break;
        default: rule.more = true; break;
        }
    }
    rule.src = (struct span){src, src_length};
    write_fib_rule(reply, &rule);
}

int32_t kernel_fib_rule_list(struct host *host, int32_t ns)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status < 0) return status;
    reply_list(reply);
    for (size_t at = 0; at < sizeof families; at++) {
        struct fib_rule_hdr any = {.family = families[at]};
        struct request *list = request_dump(RTM_GETRULE);
        request_append(list, &any, sizeof any);
        status = netlink_dump(netlink, reply, list, visit_rule, NULL, NULL);
        if (status < 0) return status;
    }
    reply_list_end(reply);
    return reply_end(reply);
}
