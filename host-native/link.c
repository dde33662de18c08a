/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations on links of host-node/abi/ over rtnetlink; each is one request.
 * It refuses to decide anything: no retries, no undo, no defaults but those the table names.
 */
#include "link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "abi.gen.h"
#include "ip.h"
#include "netns.h"
#include "shapes.gen.h"
#include "text.h"

/** Of what is kept of each link while they are listed. */
enum { LINKS_LIMIT_BYTES = 16 << 20 };

/** IF_OPER_* of linux/if.h, in iproute2's words. */
static const char OPERSTATES[][16] = {
    "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up",
};

int32_t link_socket(struct host *host, int32_t ns, int32_t ifindex, struct netlink **into)
{
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, into);
    if (status < 0 || ifindex > 0) return status;
    return reply_fail(&host->reply, ENODEV, "no link has the index %d", ifindex);
}

void request_ifinfomsg(struct request *request, uint8_t family, int32_t ifindex, uint32_t flags,
    uint32_t change)
{
    struct ifinfomsg body = {
        .ifi_family = family,
        .ifi_index = ifindex,
        .ifi_flags = flags,
        .ifi_change = change,
    };
    request_append(request, &body, sizeof body);
}

/* Asking */

/** MACVLAN_MODE_* and IPVLAN_MODE_*, in the words of ip(8). */
static const struct mode {
    const char *kind;
    int32_t number;
    const char *word;
} LINK_MODES[] = {
    {"macvlan", MACVLAN_MODE_PRIVATE, "private"},
    {"macvlan", MACVLAN_MODE_VEPA, "vepa"},
    {"macvlan", MACVLAN_MODE_BRIDGE, "bridge"},
    {"macvlan", MACVLAN_MODE_PASSTHRU, "passthru"},
    {"macvlan", MACVLAN_MODE_SOURCE, "source"},
    {"ipvlan", IPVLAN_MODE_L2, "l2"},
    {"ipvlan", IPVLAN_MODE_L3, "l3"},
    {"ipvlan", IPVLAN_MODE_L3S, "l3s"},
};
enum { MODES = sizeof LINK_MODES / sizeof *LINK_MODES };

int32_t link_mode(const char *kind, struct span word)
{
    for (size_t at = 0; at < MODES; at++) {
        const struct mode *mode = &LINK_MODES[at];
        if (strcmp(mode->kind, kind) == 0 && span_is(word, mode->word)) return mode->number;
    }
    return -1;
}

/** The word for a kind's number; empty for one that nobody knows. */
static struct span mode_word(struct span kind, uint32_t number)
{
    for (size_t at = 0; at < MODES; at++) {
        const struct mode *mode = &LINK_MODES[at];
        if (span_is(kind, mode->kind) && (uint32_t)mode->number == number) {
            return span_of(mode->word);
        }
    }
    return (struct span){0};
}

/** Whether links of a kind lie on another. */
static bool stacked(struct span kind)
{
    return span_is(kind, "ipvlan") || span_is(kind, "macvlan") || span_is(kind, "vlan");
}

static void parse_info(struct view info, struct link_shape *link)
{
    struct attr attr;
    struct view data = {info.end, info.end};
    while (attr_next(&info, &attr)) {
        if (attr.type == IFLA_INFO_KIND) link->kind = view_text(attr.value);
        else if (attr.type == IFLA_INFO_DATA) data = attr.value;
    }
    bool bridge = span_is(link->kind, "bridge");
    bool vrf = span_is(link->kind, "vrf");
    bool macvlan = span_is(link->kind, "macvlan");
    bool ipvlan = span_is(link->kind, "ipvlan");
    bool vlan = span_is(link->kind, "vlan");
    if (!bridge && !vrf && !macvlan && !ipvlan && !vlan) return;
    while (attr_next(&data, &attr)) {
        if (bridge && attr.type == IFLA_BR_VLAN_FILTERING) {
            link->vlan_filtering = view_u8(attr.value, 0) != 0;
        } else if (vrf && attr.type == IFLA_VRF_TABLE) {
            link->table = view_u32(attr.value, 0);
        } else if (macvlan && attr.type == IFLA_MACVLAN_MODE) {
            link->mode = mode_word(link->kind, view_u32(attr.value, 0));
        } else if (ipvlan && attr.type == IFLA_IPVLAN_MODE) {
            link->mode = mode_word(link->kind, view_u16(attr.value, 0));
        } else if (vlan && attr.type == IFLA_VLAN_ID) {
            link->vid = view_u16(attr.value, 0);
        }
    }
}

/** Where the texts of hardware addresses are written. */
struct hardware {
    char address[HARDWARE_TEXT_MAX];
    char permaddr[HARDWARE_TEXT_MAX];
};

static void parse_link(struct view attrs, struct link_shape *link, struct hardware *into)
{
    struct attr attr;
    int32_t lower = 0;
    while (attr_next(&attrs, &attr)) {
        switch (attr.type) {
        case IFLA_IFNAME: link->name = view_text(attr.value); break;
        case IFLA_ADDRESS: link->address = hardware_format(attr.value, into->address); break;
        case IFLA_PERM_ADDRESS:
            link->permaddr = hardware_format(attr.value, into->permaddr);
            break;
        case IFLA_IFALIAS: link->alias = view_text(attr.value); break;
        case IFLA_MTU: link->mtu_bytes = view_i32(attr.value, 0); break;
        case IFLA_TXQLEN: link->txqlen = view_u32(attr.value, 0); break;
        case IFLA_MASTER: link->master = view_i32(attr.value, 0); break;
        case IFLA_LINK: lower = view_i32(attr.value, 0); break;
        case IFLA_OPERSTATE: {
            uint8_t state = view_u8(attr.value, 0);
            bool known = state < sizeof OPERSTATES / sizeof *OPERSTATES;
            link->operstate = span_of(OPERSTATES[known ? state : 0]);
            break;
        }
        case IFLA_LINKINFO: parse_info(attr.value, link); break;
        default: break;
        }
    }
    if (span_is(link->kind, "veth")) link->peer = lower;
    if (stacked(link->kind)) link->lower = lower;
}

/** An RTM_NEWLINK as an object. */
static void reply_of_link(struct reply *reply, const struct message *message)
{
    uint32_t flags = view_u32(message->body, offsetof(struct ifinfomsg, ifi_flags));
    struct link_shape link = {
        .ifindex = view_i32(message->body, offsetof(struct ifinfomsg, ifi_index)),
        .operstate = span_of(OPERSTATES[0]),
        .up = (flags & IFF_UP) != 0,
        .promisc = (flags & IFF_PROMISC) != 0,
        .allmulti = (flags & IFF_ALLMULTI) != 0,
    };
    struct hardware hardware;
    parse_link(view_from(message->body, sizeof(struct ifinfomsg)), &link, &hardware);
    write_link(reply, &link);
}

static void visit_link(struct reply *reply, const struct message *message, void *context)
{
    bool *seen = context;
    // The last reply counts, as there is one.
    reply_begin(reply);
    reply_of_link(reply, message);
    *seen = true;
}

static struct request *ask(int32_t ifindex)
{
    struct request *get = request_command(RTM_GETLINK, 0);
    request_ifinfomsg(get, AF_UNSPEC, ifindex, 0, 0);
    return get;
}

/** A link into the slot. */
static int32_t reply_link(struct netlink *netlink, struct reply *reply, struct request *get)
{
    bool seen = false;
    request_u32(get, IFLA_EXT_MASK, NO_STATISTICS);
    int32_t status = netlink_get(netlink, reply, get, visit_link, &seen);
    if (status < 0) return status;
    return seen ? reply_end(reply) : reply_fail(reply, EBADMSG, "no link in the reply");
}

int32_t link_visit(struct netlink *netlink, struct reply *reply, int32_t ifindex, visitor *visit,
    void *context)
{
    struct request *get = ask(ifindex);
    request_u32(get, IFLA_EXT_MASK, NO_STATISTICS);
    return netlink_get(netlink, reply, get, visit, context);
}

int32_t link_must_exist(struct netlink *netlink, struct reply *reply, int32_t ifindex)
{
    int32_t status = reply_link(netlink, reply, ask(ifindex));
    if (status == 0) reply_begin(reply);
    return status;
}

int32_t kernel_link_get(struct host *host, int32_t ns, struct span name)
{
    struct netlink *netlink;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status < 0) return status;
    struct request *get = ask(0);
    request_text(get, IFLA_IFNAME, name);
    return reply_link(netlink, &host->reply, get);
}

int32_t kernel_link_get_index(struct host *host, int32_t ns, int32_t ifindex)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    return status < 0 ? status : reply_link(netlink, &host->reply, ask(ifindex));
}

/** Where the object of a link is in the slot. */
struct place {
    int32_t ifindex;
    uint32_t start;
    uint32_t length;
};

static void visit_each(struct reply *reply, const struct message *message, void *context)
{
    struct buffer *places = context;
    int32_t ifindex = view_i32(message->body, offsetof(struct ifinfomsg, ifi_index));
    struct place place = {.ifindex = ifindex, .start = reply->buffer.length};
    reply_of_link(reply, message);
    place.length = reply->buffer.length - place.start;
    buffer_append(places, &place, sizeof place);
}

static void forget_each(void *context)
{
    buffer_clear(context);
}

static int by_ifindex(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    if (a->ifindex != b->ifindex) return a->ifindex > b->ifindex ? 1 : -1;
    return a->start > b->start ? 1 : -1;
}

int32_t kernel_link_list(struct host *host, int32_t ns)
{
    static struct buffer places = {.limit = LINKS_LIMIT_BYTES};
    static struct buffer sorted = {.limit = REPLY_LIMIT_BYTES};
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    int32_t status = netns_socket(host, ns, NETLINK_ROUTE, &netlink);
    if (status < 0) return status;
    struct request *list = request_dump(RTM_GETLINK);
    request_ifinfomsg(list, AF_UNSPEC, 0, 0, 0);
    request_u32(list, IFLA_EXT_MASK, NO_STATISTICS);
    status = netlink_dump(netlink, reply, list, visit_each, forget_each, &places);
    if (status == 0) status = reply_end(reply);
    if (status < 0 || places.error != 0) return status < 0 ? status : -places.error;
    size_t count = places.length / sizeof(struct place);
    struct place *each = (struct place *)(void *)places.bytes;
    if (count > 0) qsort(each, count, sizeof *each, by_ifindex);
    buffer_clear(&sorted);
    buffer_append(&sorted, "[", 1);
    for (size_t at = 0; at < count; at++) {
        // The comma before an object is not its own here.
        const char *object = reply->buffer.bytes + each[at].start;
        uint32_t comma = object[0] == ',';
        if (at > 0) buffer_append(&sorted, ",", 1);
        buffer_append(&sorted, object + comma, each[at].length - comma);
    }
    buffer_append(&sorted, "]", 1);
    reply_lend(reply, sorted.bytes, sorted.length);
    return -sorted.error;
}

/* Changing */

static int32_t set_flag(struct host *host, int32_t ns, int32_t ifindex, uint32_t flag, bool on)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *set = request_command(RTM_NEWLINK, 0);
    request_ifinfomsg(set, AF_UNSPEC, ifindex, on ? flag : 0, flag);
    return netlink_run(netlink, &host->reply, set);
}

int32_t kernel_link_set_up(struct host *host, int32_t ns, int32_t ifindex)
{
    return set_flag(host, ns, ifindex, IFF_UP, true);
}

int32_t kernel_link_set_down(struct host *host, int32_t ns, int32_t ifindex)
{
    return set_flag(host, ns, ifindex, IFF_UP, false);
}

int32_t kernel_link_set_promisc(struct host *host, int32_t ns, int32_t ifindex, int32_t on)
{
    return set_flag(host, ns, ifindex, IFF_PROMISC, on != 0);
}

int32_t kernel_link_set_allmulti(struct host *host, int32_t ns, int32_t ifindex, int32_t on)
{
    return set_flag(host, ns, ifindex, IFF_ALLMULTI, on != 0);
}

/** Sets one attribute of a link. */
static int32_t set_attr(struct host *host, int32_t ns, int32_t ifindex, uint16_t type,
    const void *bytes, uint32_t length)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *set = request_command(RTM_NEWLINK, 0);
    request_ifinfomsg(set, AF_UNSPEC, ifindex, 0, 0);
    request_attr(set, type, bytes, length);
    return netlink_run(netlink, &host->reply, set);
}

int32_t kernel_link_set_mtu(struct host *host, int32_t ns, int32_t ifindex, int32_t mtu_bytes)
{
    return set_attr(host, ns, ifindex, IFLA_MTU, &mtu_bytes, sizeof mtu_bytes);
}

int32_t kernel_link_set_txqlen(struct host *host, int32_t ns, int32_t ifindex, int32_t txqlen)
{
    return set_attr(host, ns, ifindex, IFLA_TXQLEN, &txqlen, sizeof txqlen);
}

int32_t kernel_link_set_name(struct host *host, int32_t ns, int32_t ifindex, struct span name)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *set = request_command(RTM_NEWLINK, 0);
    request_ifinfomsg(set, AF_UNSPEC, ifindex, 0, 0);
    request_text(set, IFLA_IFNAME, name);
    return netlink_run(netlink, &host->reply, set);
}

int32_t kernel_link_set_netns(struct host *host, int32_t ns, int32_t ifindex, int32_t netns,
    struct span name)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    int32_t fd = netns_fd(host, netns);
    if (fd < 0) return fd;
    struct request *set = request_command(RTM_NEWLINK, 0);
    request_ifinfomsg(set, AF_UNSPEC, ifindex, 0, 0);
    request_u32(set, IFLA_NET_NS_FD, (uint32_t)fd);
    request_text(set, IFLA_IFNAME, name);
    return netlink_run(netlink, &host->reply, set);
}

int32_t kernel_link_set_alias(struct host *host, int32_t ns, int32_t ifindex, struct span alias)
{
    // Without the NUL byte of a text: the kernel would take it for a part, and "" for one to set.
    return set_attr(host, ns, ifindex, IFLA_IFALIAS, alias.ptr, alias.len);
}

int32_t kernel_link_set_master(struct host *host, int32_t ns, int32_t ifindex, int32_t master)
{
    return set_attr(host, ns, ifindex, IFLA_MASTER, &master, sizeof master);
}

int32_t kernel_link_set_address(struct host *host, int32_t ns, int32_t ifindex,
    struct span address)
{
    uint8_t bytes[ETHERNET_BYTES];
    int32_t status = hardware_parse(&host->reply, address, bytes);
    if (status < 0) return status;
    return set_attr(host, ns, ifindex, IFLA_ADDRESS, bytes, sizeof bytes);
}

int32_t kernel_link_del(struct host *host, int32_t ns, int32_t ifindex)
{
    struct netlink *netlink;
    int32_t status = link_socket(host, ns, ifindex, &netlink);
    if (status < 0) return status;
    struct request *del = request_command(RTM_DELLINK, 0);
    request_ifinfomsg(del, AF_UNSPEC, ifindex, 0, 0);
    // The kernel announces a link as gone when nobody finds it any more, long before it is done.
    return netlink_run_early(netlink, &host->reply, del, RTM_DELLINK);
}
