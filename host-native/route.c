/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding and removing routes, operations of host-node/abi/ over rtnetlink; each is one request. It
 * refuses to decide anything. Lists of them are route-list.c.
 */
#include "route.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "abi.gen.h"
#include "ip.h"
#include "link.h"
#include "netns.h"

enum {
    /** A table beyond the byte of struct rtmsg goes into RTA_TABLE. */
    TABLE_BYTE_MAX = 255,
};

void request_rtmsg(struct request *request, const struct rtmsg *body, uint32_t table)
{
    struct rtmsg message = *body;
    message.rtm_table = (uint8_t)(table > TABLE_BYTE_MAX ? RT_TABLE_COMPAT : table);
    request_append(request, &message, sizeof message);
}

void request_ip(struct request *request, uint16_t type, const struct ip *ip)
{
    request_attr(request, type, ip->bytes, ip->length);
}

/** Where a route leads, as both changes name it. */
struct way {
    struct prefix dst;
    struct ip gw;
    bool has_gw;
    uint32_t table;
    int32_t ifindex;
};

static int32_t way_parse(struct reply *reply, struct span dst, struct span gw, int32_t table,
    struct way *into)
{
    int32_t status = prefix_parse(reply, dst, &into->dst);
    into->table = table == 0 ? RT_TABLE_MAIN : (uint32_t)table;
    into->has_gw = gw.len > 0;
    if (status == 0 && into->has_gw) status = ip_parse(reply, gw, &into->gw);
    if (status < 0 || !into->has_gw) return status;
    if (into->dst.family == AF_INET6 && into->gw.length == IP4_BYTES) {
        return reply_fail(reply, EINVAL, "an IPv6 route cannot go by way of %.*s", (int)gw.len,
            gw.ptr);
    }
    return 0;
}

/** Adds the gateway; an IPv4 route may go by way of an IPv6 neighbour (RTA_VIA, RFC 5549). */
static void request_gateway(struct request *request, const struct way *way)
{
    if (!way->has_gw) return;
    if ((way->gw.length == IP4_BYTES) == (way->dst.family == AF_INET)) {
        request_ip(request, RTA_GATEWAY, &way->gw);
        return;
    }
    uint16_t family = AF_INET6;
    uint32_t via = request_plain(request, RTA_VIA);
    request_append(request, &family, sizeof family);
    request_append(request, way->gw.bytes, way->gw.length);
    request_end(request, via);
}

static void request_way(struct request *request, const struct way *way, const struct rtmsg *body)
{
    struct rtmsg message = *body;
    message.rtm_family = way->dst.family;
    message.rtm_dst_len = way->dst.length;
    request_rtmsg(request, &message, way->table);
    request_u32(request, RTA_OIF, (uint32_t)way->ifindex);
    if (way->dst.length > 0) request_ip(request, RTA_DST, &way->dst.ip);
    request_gateway(request, way);
}

int32_t kernel_route_add(struct host *host, int32_t ns, int32_t ifindex, struct span dst,
    struct span gw, struct span src, int32_t scope, int32_t table,
    int32_t priority, int32_t mtu_bytes, int32_t advmss, int32_t protocol)
{
    struct way way = {.ifindex = ifindex};
    struct ip from;
    struct netlink *netlink;
    int32_t status = way_parse(&host->reply, dst, gw, table, &way);
    if (status == 0 && src.len > 0) status = ip_parse(&host->reply, src, &from);
    if (status == 0) status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct rtmsg body = {
        .rtm_protocol = (uint8_t)(protocol == 0 ? RTPROT_BOOT : protocol),
        .rtm_scope = (uint8_t)scope,
        .rtm_type = RTN_UNICAST,
    };
    // CREATE alone is iproute2's "prepend": an exact duplicate is EEXIST, another next hop is
    // added.
    struct request *add = request_command(RTM_NEWROUTE, NLM_F_CREATE);
    request_way(add, &way, &body);
    if (src.len > 0) request_ip(add, RTA_PREFSRC, &from);
    if (priority != 0) request_u32(add, RTA_PRIORITY, (uint32_t)priority);
    if (way.table > TABLE_BYTE_MAX) request_u32(add, RTA_TABLE, way.table);
    if (mtu_bytes != 0 || advmss != 0) {
        uint32_t metrics = request_nest(add, RTA_METRICS);
        if (mtu_bytes != 0) request_u32(add, RTAX_MTU, (uint32_t)mtu_bytes);
        if (advmss != 0) request_u32(add, RTAX_ADVMSS, (uint32_t)advmss);
        request_end(add, metrics);
    }
    return netlink_run(netlink, &host->reply, add);
}

int32_t kernel_route_del(struct host *host, int32_t ns, int32_t ifindex, struct span dst,
    struct span gw, int32_t table)
{
    struct way way = {.ifindex = ifindex};
    struct netlink *netlink;
    int32_t status = way_parse(&host->reply, dst, gw, table, &way);
    if (status == 0) status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    // Scope NOWHERE and protocol 0 match any; scope 0 would match only global routes.
    struct rtmsg body = {.rtm_scope = RT_SCOPE_NOWHERE, .rtm_type = RTN_UNICAST};
    struct request *del = request_command(RTM_DELROUTE, 0);
    request_way(del, &way, &body);
    if (way.table > TABLE_BYTE_MAX) request_u32(del, RTA_TABLE, way.table);
    return netlink_run(netlink, &host->reply, del);
}
