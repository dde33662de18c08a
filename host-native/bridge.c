/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations on bridges, their ports and VLANs of host-node/abi/ over rtnetlink.
 * It refuses to decide anything.
 */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "abi.gen.h"
#include "link.h"
#include "netns.h"
#include "shapes.gen.h"
#include "text.h"

enum {
    /** The kernel's own limit is 1024 (BR_MAX_PORTS of net/bridge/br_private.h). */
    PORTS_MAX = 4096,
    /** An Ethernet frame's VLAN ids end here. */
    VLAN_ID_MAX = 4094,
};

int32_t kernel_link_set_bridge_port(struct host *host, int32_t ns, int32_t ifindex,
    int32_t hairpin, int32_t isolated)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *set = request_command(RTM_SETLINK, 0);
    request_ifinfomsg(set, AF_BRIDGE, ifindex, 0, 0);
    uint32_t port = request_nest(set, IFLA_PROTINFO);
    request_u8(set, IFLA_BRPORT_MODE, hairpin != 0);
    request_u8(set, IFLA_BRPORT_ISOLATED, isolated != 0);
    request_end(set, port);
    return netlink_run(netlink, &host->reply, set);
}

/* Ports */

struct ports {
    int32_t bridge;
    int32_t count;
    int32_t ifindexes[PORTS_MAX];
};

static void visit_port(struct reply *reply, const struct message *message, void *context)
{
    (void)reply;
    struct ports *ports = context;
    int32_t master = 0;
    struct view attrs = view_from(message->body, sizeof(struct ifinfomsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == IFLA_MASTER) master = view_i32(attr.value, 0);
    }
    if (master != ports->bridge) return;
    if (ports->count == PORTS_MAX) {
        reply_malformed();
        return;
    }
    // Kept ascending; the kernel gives them nearly so.
    int32_t ifindex = view_i32(message->body, offsetof(struct ifinfomsg, ifi_index));
    int32_t at = ports->count++;
    for (; at > 0 && ports->ifindexes[at - 1] > ifindex; at--) {
        ports->ifindexes[at] = ports->ifindexes[at - 1];
    }
    ports->ifindexes[at] = ifindex;
}

static void forget_ports(void *context)
{
    struct ports *ports = context;
    ports->count = 0;
}

int32_t kernel_bridge_port_list(struct host *host, int32_t ns, int32_t ifindex)
{
    static struct ports ports;
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *list = request_dump(RTM_GETLINK);
    request_ifinfomsg(list, AF_UNSPEC, 0, 0, 0);
    request_u32(list, IFLA_MASTER, (uint32_t)ifindex);
    request_u32(list, IFLA_EXT_MASK, NO_STATISTICS);
    ports.bridge = ifindex;
    status = netlink_dump(netlink, reply, list, visit_port, forget_ports, &ports);
    // No ports, or no bridge: the second is ENODEV.
    if (status == 0 && ports.count == 0) status = link_must_exist(netlink, reply, ifindex);
    if (status < 0) return status;
    reply_list(reply);
    for (int32_t at = 0; at < ports.count; at++) reply_int(reply, ports.ifindexes[at]);
    reply_list_end(reply);
    return reply_end(reply);
}

/* VLANs */

static void visit_kind(struct reply *reply, const struct message *message, void *context)
{
    (void)reply;
    bool *bridge = context;
    struct view attrs = view_from(message->body, sizeof(struct ifinfomsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type != IFLA_LINKINFO) continue;
        struct view info = attr.value;
        while (attr_next(&info, &attr)) {
            if (attr.type == IFLA_INFO_KIND) *bridge = span_is(view_text(attr.value), "bridge");
        }
    }
}

static void request_vlan(struct request *request, int flags, int32_t vid)
{
    struct bridge_vlan_info info = {.flags = (uint16_t)flags, .vid = (uint16_t)vid};
    request_attr(request, IFLA_BRIDGE_VLAN_INFO, &info, sizeof info);
}

/** bridge vlan add and del: `type` is RTM_SETLINK or RTM_DELLINK, `flags` BRIDGE_VLAN_INFO_*. */
static int32_t vlan(struct host *host, uint16_t type, int32_t ns, int32_t ifindex, int32_t vid,
    int32_t vid_end, int flags)
{
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    bool self = false;
    if (vid < 1 || vid > vid_end || vid_end > VLAN_ID_MAX) {
        return reply_fail(reply, EINVAL, "not a VLAN range: %d-%d", vid, vid_end);
    }
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status == 0) status = link_visit(netlink, reply, ifindex, visit_kind, &self);
    if (status < 0) return status;
    struct request *set = request_command(type, 0);
    request_ifinfomsg(set, AF_BRIDGE, ifindex, 0, 0);
    uint32_t spec = request_nest(set, IFLA_AF_SPEC);
    if (self) {
        // Without this the kernel looks for the bridge above, and a bridge has none.
        uint16_t bits = BRIDGE_FLAGS_SELF;
        request_attr(set, IFLA_BRIDGE_FLAGS, &bits, sizeof bits);
    }
    if (vid == vid_end) {
        request_vlan(set, flags, vid);
    } else {
        request_vlan(set, flags | BRIDGE_VLAN_INFO_RANGE_BEGIN, vid);
        request_vlan(set, flags | BRIDGE_VLAN_INFO_RANGE_END, vid_end);
    }
    request_end(set, spec);
    return netlink_run(netlink, reply, set);
}

int32_t kernel_bridge_vlan_add(struct host *host, int32_t ns, int32_t ifindex, int32_t vid,
    int32_t vid_end, int32_t pvid, int32_t untagged)
{
    int flags = pvid != 0 ? BRIDGE_VLAN_INFO_PVID : 0;
    if (untagged != 0) flags |= BRIDGE_VLAN_INFO_UNTAGGED;
    return vlan(host, RTM_SETLINK, ns, ifindex, vid, vid_end, flags);
}

int32_t kernel_bridge_vlan_del(struct host *host, int32_t ns, int32_t ifindex, int32_t vid,
    int32_t vid_end)
{
    return vlan(host, RTM_DELLINK, ns, ifindex, vid, vid_end, 0);
}

/** By VLAN id: 0, or PRESENT with BRIDGE_VLAN_INFO_* flags. */
struct vlans {
    int32_t port;
    uint32_t count;
    uint8_t flags[VLAN_ID_MAX + 1];
};
enum { PRESENT = 0x80 };

/** Notes VLANs first..last. A reply that repeats its ranges would have no bound of its own. */
static void note_vlans(struct vlans *vlans, uint32_t first, uint32_t last, int flags)
{
    uint32_t more = last >= first ? last - first + 1 : 0;
    if (last > VLAN_ID_MAX || more > VLAN_ID_MAX - vlans->count) {
        reply_malformed();
        return;
    }
    for (uint32_t vid = first; vid <= last; vid++) {
        vlans->flags[vid] = (uint8_t)(PRESENT | (flags & ~PRESENT));
    }
    vlans->count += more;
}

static void parse_vlans(struct view spec, struct vlans *vlans)
{
    uint32_t first = 0;
    struct attr attr;
    while (attr_next(&spec, &attr)) {
        if (attr.type != IFLA_BRIDGE_VLAN_INFO) continue;
        int flags = view_u16(attr.value, offsetof(struct bridge_vlan_info, flags));
        uint32_t vid = view_u16(attr.value, offsetof(struct bridge_vlan_info, vid));
        if ((flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) != 0) {
            first = vid;
            continue;
        }
        bool ranged = (flags & BRIDGE_VLAN_INFO_RANGE_END) != 0 && first != 0;
        note_vlans(vlans, ranged ? first : vid, vid, flags);
        first = 0;
    }
}

static void visit_vlans(struct reply *reply, const struct message *message, void *context)
{
    (void)reply;
    struct vlans *vlans = context;
    if (view_i32(message->body, offsetof(struct ifinfomsg, ifi_index)) != vlans->port) return;
    struct view attrs = view_from(message->body, sizeof(struct ifinfomsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == IFLA_AF_SPEC) parse_vlans(attr.value, vlans);
    }
}

static void forget_vlans(void *context)
{
    struct vlans *vlans = context;
    vlans->count = 0;
    memset(vlans->flags, 0, sizeof vlans->flags);
}

static void reply_vlan(struct reply *reply, int32_t vid, int flags)
{
    struct port_vlan_shape vlan = {
        .vid = vid,
        .pvid = (flags & BRIDGE_VLAN_INFO_PVID) != 0,
        .untagged = (flags & BRIDGE_VLAN_INFO_UNTAGGED) != 0,
    };
    write_port_vlan(reply, &vlan);
}

int32_t kernel_bridge_vlan_list(struct host *host, int32_t ns, int32_t ifindex)
{
    static struct vlans vlans;
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    // The kernel has no filter by port here. Ranges keep 4094 VLANs within one datagram.
    struct request *list = request_dump(RTM_GETLINK);
    request_ifinfomsg(list, AF_BRIDGE, 0, 0, 0);
    request_u32(list, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
    vlans.port = ifindex;
    status = netlink_dump(netlink, reply, list, visit_vlans, forget_vlans, &vlans);
    // Nothing to list, or nothing to list it of: the second is ENODEV.
    if (status == 0 && vlans.count == 0) status = link_must_exist(netlink, reply, ifindex);
    if (status < 0) return status;
    reply_list(reply);
    for (int32_t vid = 0; vid <= VLAN_ID_MAX; vid++) {
        if (vlans.flags[vid] != 0) reply_vlan(reply, vid, vlans.flags[vid]);
    }
    reply_list_end(reply);
    return reply_end(reply);
}
