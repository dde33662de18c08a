/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading routes, operations of host-node/abi/ over rtnetlink; each is one request (the lists: one
 * a family). It refuses to decide anything, and to trust a reply.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "abi.gen.h"
#include "ip.h"
#include "link.h"
#include "netns.h"
#include "route.h"
#include "shapes.gen.h"

enum {
    /** More than anybody has: a table for each of many pods. */
    TABLES_MAX = 16384,
    /** struct rtvia (linux/rtnetlink.h): the family before the address. */
    VIA_ADDRESS = offsetof(struct rtvia, rtvia_addr),
};

/** An RTM_NEWROUTE of an IP family, views into the reply. */
struct route {
    struct rtmsg body;
    struct view dst;
    struct view src;
    /** The one next hop; without any `ifindex` is 0. */
    struct view gw;
    int32_t ifindex;
    /** Of a route with several: a struct rtnexthop list. */
    struct view hops;
    uint32_t table;
    uint32_t priority;
    uint32_t mtu_bytes;
    uint32_t advmss;
};

static void parse_metrics(struct view metrics, struct route *route)
{
    struct attr attr;
    while (attr_next(&metrics, &attr)) {
        if (attr.type == RTAX_MTU) route->mtu_bytes = view_u32(attr.value, 0);
        else if (attr.type == RTAX_ADVMSS) route->advmss = view_u32(attr.value, 0);
    }
}

/** An address as it should be, of whatever route. */
static struct view ip_of(struct view value)
{
    uint32_t length = view_length(value);
    if (length != IP4_BYTES && length != IP6_BYTES) reply_malformed();
    return value;
}

static struct rtmsg parse_rtmsg(struct view body)
{
    struct rtmsg message = {0};
    if (view_length(body) < sizeof message) reply_malformed();
    else memcpy(&message, body.at, sizeof message);
    return message;
}

static struct route parse_route(struct view body)
{
    struct route route = {.body = parse_rtmsg(body)};
    struct view attrs = view_from(body, sizeof route.body);
    route.table = route.body.rtm_table;
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        switch (attr.type) {
        case RTA_DST: route.dst = ip_of(attr.value); break;
        case RTA_OIF: route.ifindex = view_i32(attr.value, 0); break;
        case RTA_GATEWAY: route.gw = ip_of(attr.value); break;
        case RTA_VIA: route.gw = ip_of(view_from(attr.value, VIA_ADDRESS)); break;
        case RTA_PREFSRC: route.src = ip_of(attr.value); break;
        case RTA_PRIORITY: route.priority = view_u32(attr.value, 0); break;
        case RTA_TABLE: route.table = view_u32(attr.value, 0); break;
        case RTA_METRICS: parse_metrics(attr.value, &route); break;
        case RTA_MULTIPATH: route.hops = attr.value; break;
        default: break;
        }
    }
    return route;
}

static bool unicast(struct rtmsg message)
{
    return message.rtm_type == RTN_UNICAST && (message.rtm_flags & RTM_F_CLONED) == 0;
}

/** The next of several next hops; false at the end or when it is malformed. */
static bool hop_next(struct view *rest, struct view *gw, int32_t *ifindex)
{
    uint32_t length = view_length(*rest);
    if (length == 0) return false;
    uint16_t size = view_u16(*rest, offsetof(struct rtnexthop, rtnh_len));
    if (size < sizeof(struct rtnexthop) || size > length) {
        reply_malformed();
        return false;
    }
    *ifindex = view_i32(*rest, offsetof(struct rtnexthop, rtnh_ifindex));
    *gw = (struct view){NULL, NULL};
    struct view attrs = {rest->at + sizeof(struct rtnexthop), rest->at + size};
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == RTA_GATEWAY) *gw = ip_of(attr.value);
        else if (attr.type == RTA_VIA) *gw = ip_of(view_from(attr.value, VIA_ADDRESS));
    }
    uint32_t padded = (size + 3U) & ~3U;
    *rest = view_from(*rest, padded < length ? padded : length);
    return true;
}

/** "" when the attribute is absent. */
static struct span ip_text(struct view bytes, char into[IP_TEXT_MAX])
{
    return (struct span){into, bytes.at == NULL ? 0 : ip_format(bytes, into)};
}

/** Where the texts of a route are written. */
struct texts {
    char dst[IP_TEXT_MAX];
    char gw[IP_TEXT_MAX];
    char src[IP_TEXT_MAX];
};

static struct route_shape told(const struct route *route, struct view gw, struct texts *texts)
{
    static const uint8_t any[IP6_BYTES];
    struct view dst = route->dst;
    uint32_t size = route->body.rtm_family == AF_INET ? IP4_BYTES : IP6_BYTES;
    if (dst.at == NULL) dst = (struct view){any, any + size};
    uint32_t length = ip_format(dst, texts->dst);
    length += (uint32_t)snprintf(texts->dst + length, sizeof texts->dst - length, "/%d",
        route->body.rtm_dst_len);
    return (struct route_shape){
        .dst = {texts->dst, length},
        .gw = ip_text(gw, texts->gw),
        .src = ip_text(route->src, texts->src),
        .scope = route->body.rtm_scope,
        .table = route->table,
        .priority = route->priority,
        .mtu_bytes = (int32_t)route->mtu_bytes,
        .advmss = (int32_t)route->advmss,
        .protocol = route->body.rtm_protocol,
    };
}

static void reply_route(struct reply *reply, const struct route *route, struct view gw)
{
    struct texts texts;
    struct route_shape shape = told(route, gw, &texts);
    write_route(reply, &shape);
}

/** Which routes a list is of. */
struct wanted {
    int32_t ifindex;
    uint8_t family;
};

static void visit_route(struct reply *reply, const struct message *message, void *context)
{
    const struct wanted *wanted = context;
    struct rtmsg body = parse_rtmsg(message->body);
    if (body.rtm_family != wanted->family || !unicast(body)) return;
    struct route route = parse_route(message->body);
    if (route.table == RT_TABLE_LOCAL) return;
    struct view gw;
    int32_t ifindex;
    while (hop_next(&route.hops, &gw, &ifindex)) {
        if (ifindex == wanted->ifindex) reply_route(reply, &route, gw);
    }
    if (route.ifindex == wanted->ifindex) reply_route(reply, &route, route.gw);
}

int32_t kernel_route_list(struct host *host, int32_t ns, int32_t ifindex)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    reply_list(reply);
    for (size_t at = 0; at < sizeof families; at++) {
        struct wanted wanted = {ifindex, families[at]};
        struct rtmsg any = {.rtm_family = families[at], .rtm_type = RTN_UNICAST};
        struct request *list = request_dump(RTM_GETROUTE);
        request_rtmsg(list, &any, 0);
        request_u32(list, RTA_OIF, (uint32_t)ifindex);
        status = netlink_dump(netlink, reply, list, visit_route, NULL, &wanted);
        if (status < 0) return status;
    }
    reply_list_end(reply);
    return reply_end(reply);
}

/** The tables that were seen, ascending. */
struct tables {
    uint32_t count;
    uint32_t numbers[TABLES_MAX];
};

static void visit_table(struct reply *reply, const struct message *message, void *context)
{
    (void)reply;
    struct tables *tables = context;
    struct route route = parse_route(message->body);
    struct view gw;
    int32_t ifindex;
    // Read to the end: a malformed reply is one, whatever of it is wanted.
    while (hop_next(&route.hops, &gw, &ifindex)) continue;
    if ((route.body.rtm_flags & RTM_F_CLONED) != 0) return;
    uint32_t at = tables->count;
    while (at > 0 && tables->numbers[at - 1] > route.table) at--;
    if (at > 0 && tables->numbers[at - 1] == route.table) return;
    if (tables->count == TABLES_MAX) {
        reply_malformed();
        return;
    }
    memmove(&tables->numbers[at + 1], &tables->numbers[at],
        (tables->count - at) * sizeof *tables->numbers);
    tables->numbers[at] = route.table;
    tables->count++;
}

int32_t kernel_route_table_list(struct host *host, int32_t ns)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    static struct tables tables;
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status < 0) return status;
    tables.count = 0;
    for (size_t at = 0; at < sizeof families; at++) {
        struct rtmsg any = {.rtm_family = families[at]};
        struct request *list = request_dump(RTM_GETROUTE);
        request_rtmsg(list, &any, 0);
        // Seen again, a table is no other.
        status = netlink_dump(netlink, reply, list, visit_table, NULL, &tables);
        if (status < 0) return status;
    }
    reply_list(reply);
    for (uint32_t at = 0; at < tables.count; at++) reply_int(reply, tables.numbers[at]);
    reply_list_end(reply);
    return reply_end(reply);
}

/** One unicast route with the link it leaves by, of several next hops the first. */
static void visit_route_to(struct reply *reply, const struct message *message, void *context)
{
    bool *found = context;
    struct route route = parse_route(message->body);
    struct view gw = route.gw;
    int32_t ifindex = route.ifindex;
    // The last reply counts, as there is one.
    reply_begin(reply);
    *found = unicast(route.body) && (hop_next(&route.hops, &gw, &ifindex) || ifindex != 0);
    if (!*found) return;
    struct texts texts;
    struct route_to_shape to = {.route = told(&route, gw, &texts), .ifindex = ifindex};
    write_route_to(reply, &to);
}

int32_t kernel_route_get(struct host *host, int32_t ns, struct span dst)
{
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    struct ip ip;
    bool found = false;
    int32_t status = ip_parse(reply, dst, &ip);
    if (status == 0) status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status < 0) return status;
    bool ip4 = ip.length == IP4_BYTES;
    // FIB_MATCH: the entry of the table, not the cached route made of it. IPv4 names the table
    // only when asked to, IPv6 refuses to be asked.
    struct rtmsg body = {
        .rtm_family = ip4 ? AF_INET : AF_INET6,
        .rtm_dst_len = (uint8_t)(ip.length * 8),
        .rtm_flags = RTM_F_FIB_MATCH | (ip4 ? RTM_F_LOOKUP_TABLE : 0),
    };
    struct request *get = request_command(RTM_GETROUTE, 0);
    request_rtmsg(get, &body, 0);
    request_ip(get, RTA_DST, &ip);
    status = netlink_get(netlink, reply, get, visit_route_to, &found);
    if (status < 0) return status;
    if (found) return reply_end(reply);
    return reply_fail(reply, ENETUNREACH, "no unicast route to %.*s", (int)dst.len, dst.ptr);
}
