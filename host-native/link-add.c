/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making links of each kind, the operations link_add_* of host-node/abi/ over rtnetlink; each is
 * one request. It refuses to decide anything: no defaults but those the table names.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>

#include "abi.gen.h"
#include "ip.h"
#include "link.h"
#include "netns.h"
#include "text.h"

/** VLAN_VID_MASK, linux/if_vlan.h of the kernel. */
enum { VID_MASK = 0xfff };

static struct request *make(struct span name, uint32_t flags)
{
    struct request *add = request_command(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    request_ifinfomsg(add, AF_UNSPEC, 0, flags, flags);
    request_text(add, IFLA_IFNAME, name);
    return add;
}

int32_t kernel_link_add_bridge(struct host *host, int32_t ns, struct span name, int32_t mtu_bytes,
    int32_t vlan_filtering)
{
    struct netlink *netlink;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status < 0) return status;
    struct request *add = make(name, 0);
    if (mtu_bytes != 0) request_u32(add, IFLA_MTU, (uint32_t)mtu_bytes);
    uint32_t info = request_nest(add, IFLA_LINKINFO);
    request_text(add, IFLA_INFO_KIND, span_of("bridge"));
    if (vlan_filtering != 0) {
        // Only when wanted: a kernel built without it refuses even to be told no (EOPNOTSUPP).
        uint32_t data = request_nest(add, IFLA_INFO_DATA);
        request_u8(add, IFLA_BR_VLAN_FILTERING, 1);
        request_end(add, data);
    }
    request_end(add, info);
    return netlink_run(netlink, &host->reply, add);
}

int32_t kernel_link_add_vrf(struct host *host, int32_t ns, struct span name, int32_t table)
{
    struct netlink *netlink;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status < 0) return status;
    struct request *add = make(name, 0);
    uint32_t info = request_nest(add, IFLA_LINKINFO);
    request_text(add, IFLA_INFO_KIND, span_of("vrf"));
    uint32_t data = request_nest(add, IFLA_INFO_DATA);
    request_u32(add, IFLA_VRF_TABLE, (uint32_t)table);
    request_end(add, data);
    request_end(add, info);
    return netlink_run(netlink, &host->reply, add);
}

/** What a link may be told; an empty address and MTU 0 are left to the kernel. */
struct end {
    uint8_t address[ETHERNET_BYTES];
    bool has_address;
    int32_t mtu_bytes;
};

static int32_t end_parse(struct reply *reply, struct span address, int32_t mtu_bytes,
    struct end *into)
{
    *into = (struct end){.has_address = address.len > 0, .mtu_bytes = mtu_bytes};
    return into->has_address ? hardware_parse(reply, address, into->address) : 0;
}

static void request_of_end(struct request *request, const struct end *end)
{
    if (end->has_address) request_attr(request, IFLA_ADDRESS, end->address, sizeof end->address);
    if (end->mtu_bytes != 0) request_u32(request, IFLA_MTU, (uint32_t)end->mtu_bytes);
}

int32_t kernel_link_add_veth(struct host *host, int32_t ns, struct span name, struct span address,
    int32_t mtu_bytes, int32_t master, int32_t peer_ns,
    struct span peer_name, struct span peer_address)
{
    struct netlink *netlink;
    struct end near;
    struct end far;
    // Made in place: a pair made here and moved costs ten times as much.
    int32_t peer_fd = netns_fd(host, peer_ns);
    if (peer_fd < 0) return peer_fd;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status == 0) status = end_parse(&host->reply, address, mtu_bytes, &near);
    if (status == 0) status = end_parse(&host->reply, peer_address, mtu_bytes, &far);
    if (status < 0) return status;
    struct request *add = make(name, IFF_UP);
    request_of_end(add, &near);
    if (master != 0) request_u32(add, IFLA_MASTER, (uint32_t)master);
    uint32_t info = request_nest(add, IFLA_LINKINFO);
    request_text(add, IFLA_INFO_KIND, span_of("veth"));
    uint32_t data = request_nest(add, IFLA_INFO_DATA);
    uint32_t peer = request_nest(add, VETH_INFO_PEER);
    // Not IFF_UP: the kernel brings a peer up before it is joined to this end (ENOTCONN).
    request_ifinfomsg(add, AF_UNSPEC, 0, 0, 0);
    request_text(add, IFLA_IFNAME, peer_name);
    request_of_end(add, &far);
    request_u32(add, IFLA_NET_NS_FD, (uint32_t)peer_fd);
    request_end(add, peer);
    request_end(add, data);
    request_end(add, info);
    return netlink_run(netlink, &host->reply, add);
}

int32_t kernel_link_add_ifb(struct host *host, int32_t ns, struct span name, struct span address,
    int32_t mtu_bytes)
{
    struct netlink *netlink;
    struct end own;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status == 0) status = end_parse(&host->reply, address, mtu_bytes, &own);
    if (status < 0) return status;
    struct request *add = make(name, IFF_UP);
    request_u32(add, IFLA_TXQLEN, 0);
    request_of_end(add, &own);
    uint32_t info = request_nest(add, IFLA_LINKINFO);
    request_text(add, IFLA_INFO_KIND, span_of("ifb"));
    request_end(add, info);
    return netlink_run(netlink, &host->reply, add);
}

int32_t kernel_link_add_dummy(struct host *host, int32_t ns, struct span name, struct span address)
{
    struct netlink *netlink;
    struct end own;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status == 0) status = end_parse(&host->reply, address, 0, &own);
    if (status < 0) return status;
    struct request *add = make(name, 0);
    request_of_end(add, &own);
    uint32_t info = request_nest(add, IFLA_LINKINFO);
    request_text(add, IFLA_INFO_KIND, span_of("dummy"));
    request_end(add, info);
    return netlink_run(netlink, &host->reply, add);
}

/** What lies on another link: told in the namespace of that, and made in its own. */
struct upper {
    struct netlink *netlink;
    /** Of the namespace that it is made in; -1 for that of the lower link. */
    int32_t netns_fd;
};

static int32_t upper_begin(struct host *host, int32_t ns, int32_t netns, struct upper *into)
{
    *into = (struct upper){.netns_fd = -1};
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &into->netlink);
    if (status < 0) return status;
    int32_t fd = netns_fd(host, netns);
    if (fd < 0) return fd;
    if (netns != ns) into->netns_fd = fd;
    return 0;
}

static struct request *upper_make(const struct upper *upper, struct span name,
    const struct end *own, int32_t lower)
{
    struct request *add = make(name, 0);
    request_of_end(add, own);
    if (lower != 0) request_u32(add, IFLA_LINK, (uint32_t)lower);
    if (upper->netns_fd >= 0) request_u32(add, IFLA_NET_NS_FD, (uint32_t)upper->netns_fd);
    return add;
}

/** Asks for one of a kind that needs no more than a number of 16 bits. */
static int32_t upper_run(struct host *host, const struct upper *upper, struct request *add,
    const char *kind, uint16_t attr, uint16_t value)
{
    uint32_t info = request_nest(add, IFLA_LINKINFO);
    request_text(add, IFLA_INFO_KIND, span_of(kind));
    uint32_t data = request_nest(add, IFLA_INFO_DATA);
    request_attr(add, attr, &value, sizeof value);
    request_end(add, data);
    request_end(add, info);
    return netlink_run(upper->netlink, &host->reply, add);
}

int32_t kernel_link_add_ipvlan(struct host *host, int32_t ns, int32_t lower, int32_t in,
    struct span name, int32_t mtu_bytes, struct span mode)
{
    struct upper upper;
    struct end own = {.mtu_bytes = mtu_bytes};
    int32_t status = upper_begin(host, ns, in, &upper);
    if (status < 0) return status;
    int32_t number = link_mode("ipvlan", mode);
    if (number < 0) {
        return reply_fail(&host->reply, EINVAL, "not a mode of an ipvlan: %.*s", (int)mode.len,
            mode.ptr);
    }
    struct request *add = upper_make(&upper, name, &own, lower);
    return upper_run(host, &upper, add, "ipvlan", IFLA_IPVLAN_MODE, (uint16_t)number);
}

int32_t kernel_link_add_vlan(struct host *host, int32_t ns, int32_t lower, int32_t in,
    struct span name, int32_t mtu_bytes, int32_t vid)
{
    struct upper upper;
    struct end own = {.mtu_bytes = mtu_bytes};
    int32_t status = upper_begin(host, ns, in, &upper);
    if (status < 0) return status;
    // The kernel takes the sixteen bits that it is sent.
    if (vid < 0 || vid > VID_MASK) {
        return reply_fail(&host->reply, ERANGE, "not a VLAN ID: %d", vid);
    }
    struct request *add = upper_make(&upper, name, &own, lower);
    return upper_run(host, &upper, add, "vlan", IFLA_VLAN_ID, (uint16_t)vid);
}

int32_t kernel_link_add_macvlan(struct host *host, int32_t ns, int32_t lower, int32_t in,
    struct span name, struct span address, int32_t mtu_bytes, struct span mode, int32_t bcqueuelen)
{
    struct upper upper;
    struct end own;
    int32_t status = upper_begin(host, ns, in, &upper);
    if (status < 0) return status;
    int32_t number = link_mode("macvlan", mode);
    if (number < 0) {
        return reply_fail(&host->reply, EINVAL, "not a mode of a macvlan: %.*s", (int)mode.len,
            mode.ptr);
    }
    status = end_parse(&host->reply, address, mtu_bytes, &own);
    if (status < 0) return status;
    struct request *add = upper_make(&upper, name, &own, lower);
    uint32_t info = request_nest(add, IFLA_LINKINFO);
    request_text(add, IFLA_INFO_KIND, span_of("macvlan"));
    uint32_t data = request_nest(add, IFLA_INFO_DATA);
    request_u32(add, IFLA_MACVLAN_MODE, (uint32_t)number);
    if (bcqueuelen != 0) request_u32(add, IFLA_MACVLAN_BC_QUEUE_LEN, (uint32_t)bcqueuelen);
    request_end(add, data);
    request_end(add, info);
    return netlink_run(upper.netlink, &host->reply, add);
}
