/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations on addresses of host-node/abi/ over rtnetlink; each is one request.
 * It refuses to decide anything.
 */
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include "abi.gen.h"
#include "ip.h"
#include "link.h"
#include "shapes.gen.h"

/** IPv4 networks of two addresses and of one have none for all (RFC 3021). */
enum { BROADCAST_PREFIX_MAX = 30 };

static void request_ifaddrmsg(struct request *request, const struct prefix *prefix, uint8_t flags,
    int32_t ifindex)
{
    struct ifaddrmsg body = {
        .ifa_family = prefix->family,
        .ifa_prefixlen = prefix->length,
        .ifa_flags = flags,
        .ifa_scope = RT_SCOPE_UNIVERSE,
        .ifa_index = (uint32_t)ifindex,
    };
    request_append(request, &body, sizeof body);
}

static void request_ip(struct request *request, uint16_t type, const struct ip *ip)
{
    request_attr(request, type, ip->bytes, ip->length);
}

int32_t kernel_addr_add(struct host *host, int32_t ns, int32_t ifindex, struct span address,
    int32_t nodad)
{
    struct prefix prefix;
    struct netlink *netlink;
    int32_t status = prefix_parse(&host->reply, address, &prefix);
    if (status == 0) status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    bool ip4 = prefix.family == AF_INET;
    struct request *add = request_command(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    request_ifaddrmsg(add, &prefix, !ip4 && nodad != 0 ? IFA_F_NODAD : 0, ifindex);
    request_ip(add, IFA_LOCAL, &prefix.ip);
    request_ip(add, IFA_ADDRESS, &prefix.ip);
    if (ip4 && prefix.length <= BROADCAST_PREFIX_MAX) {
        struct ip broadcast = prefix_broadcast(&prefix);
        request_ip(add, IFA_BROADCAST, &broadcast);
    }
    return netlink_run(netlink, &host->reply, add);
}

int32_t kernel_addr_del(struct host *host, int32_t ns, int32_t ifindex, struct span address)
{
    struct prefix prefix;
    struct netlink *netlink;
    int32_t status = prefix_parse(&host->reply, address, &prefix);
    if (status == 0) status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *del = request_command(RTM_DELADDR, 0);
    request_ifaddrmsg(del, &prefix, 0, ifindex);
    request_ip(del, IFA_LOCAL, &prefix.ip);
    // Without it the kernel does not look at the prefix length.
    request_ip(del, IFA_ADDRESS, &prefix.ip);
    return netlink_run(netlink, &host->reply, del);
}

static void visit_address(struct reply *reply, const struct message *message, void *context)
{
    const int32_t *ifindex = context;
    struct view body = message->body;
    uint8_t family = view_u8(body, offsetof(struct ifaddrmsg, ifa_family));
    if ((family != AF_INET && family != AF_INET6) ||
        view_i32(body, offsetof(struct ifaddrmsg, ifa_index)) != *ifindex) {
        return;
    }
    // With a point-to-point peer IFA_ADDRESS is the peer's, IFA_LOCAL our own.
    struct view own = {NULL, NULL};
    struct view far = {NULL, NULL};
    uint32_t flags = view_u8(body, offsetof(struct ifaddrmsg, ifa_flags));
    struct view attrs = view_from(body, sizeof(struct ifaddrmsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == IFA_LOCAL) own = attr.value;
        else if (attr.type == IFA_ADDRESS) far = attr.value;
        else if (attr.type == IFA_FLAGS) flags = view_u32(attr.value, 0);
    }
    char text[IP_TEXT_MAX];
    uint32_t length = ip_format(own.at != NULL ? own : far, text);
    length += (uint32_t)snprintf(text + length, sizeof text - length, "/%d",
        view_u8(body, offsetof(struct ifaddrmsg, ifa_prefixlen)));
    struct address_shape address = {
        .address = {text, length},
        .scope = view_u8(body, offsetof(struct ifaddrmsg, ifa_scope)),
        .tentative = (flags & IFA_F_TENTATIVE) != 0,
        .dadfailed = (flags & IFA_F_DADFAILED) != 0,
    };
    write_address(reply, &address);
}

int32_t kernel_addr_list(struct host *host, int32_t ns, int32_t ifindex)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    // Families come in the order of their numbers, so IPv4 first.
    struct prefix any = {.family = AF_UNSPEC};
    struct request *list = request_dump(RTM_GETADDR);
    request_ifaddrmsg(list, &any, 0, ifindex);
    return netlink_list(netlink, &host->reply, list, visit_address, &ifindex);
}
