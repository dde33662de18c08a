/*
 * The operations on links of host-node/abi.ts over rtnetlink; each is one request.
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

#include "abi.h"
#include "ip.h"
#include "member.h"
#include "netns.h"
#include "text.h"

/** Of what is kept of each link while they are listed. */
enum { LINKS_LIMIT_BYTES = 16 << 20 };

/** IF_OPER_* of linux/if.h, in iproute2's words. */
static const char *const OPERSTATES[] = {
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

/** An RTM_NEWLINK, as far as link_get tells of it. */
struct link {
    struct span name;
    struct span kind;
    struct view address;
    uint32_t mtu_bytes;
    uint32_t txqlen;
    uint32_t master;
    uint32_t lower;
    uint8_t operstate;
    bool vlan_filtering;
    /** Of a VRF. */
    uint32_t table;
};

static void parse_info(struct view info, struct link *link)
{
    struct attr attr;
    struct view data = {info.end, info.end};
    while (attr_next(&info, &attr)) {
        if (attr.type == IFLA_INFO_KIND) link->kind = view_text(attr.value);
        else if (attr.type == IFLA_INFO_DATA) data = attr.value;
    }
    bool bridge = span_is(link->kind, "bridge");
    if (!bridge && !span_is(link->kind, "vrf")) return;
    while (attr_next(&data, &attr)) {
        if (bridge && attr.type == IFLA_BR_VLAN_FILTERING) {
            link->vlan_filtering = view_u8(attr.value, 0) != 0;
        } else if (!bridge && attr.type == IFLA_VRF_TABLE) {
            link->table = view_u32(attr.value, 0);
        }
    }
}

static void parse_link(struct view attrs, struct link *link)
{
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        switch (attr.type) {
        case IFLA_IFNAME: link->name = view_text(attr.value); break;
        case IFLA_ADDRESS: link->address = attr.value; break;
        case IFLA_MTU: link->mtu_bytes = view_u32(attr.value, 0); break;
        case IFLA_TXQLEN: link->txqlen = view_u32(attr.value, 0); break;
        case IFLA_MASTER: link->master = view_u32(attr.value, 0); break;
        case IFLA_LINK: link->lower = view_u32(attr.value, 0); break;
        case IFLA_OPERSTATE: link->operstate = view_u8(attr.value, 0); break;
        case IFLA_LINKINFO: parse_info(attr.value, link); break;
        default: break;
        }
    }
}

/** An RTM_NEWLINK as an object. */
static void reply_of_link(struct reply *reply, const struct message *message)
{
    struct link link = {.name = {"", 0}, .kind = {"", 0}, .address = {NULL, NULL}};
    parse_link(view_from(message->body, sizeof(struct ifinfomsg)), &link);
    uint32_t flags = view_u32(message->body, offsetof(struct ifinfomsg, ifi_flags));
    const char *operstate = "unknown";
    if (link.operstate < sizeof OPERSTATES / sizeof *OPERSTATES) {
        operstate = OPERSTATES[link.operstate];
    }
    reply_object(reply);
    member_int(reply, "ifindex", view_i32(message->body, offsetof(struct ifinfomsg, ifi_index)));
    member_text(reply, "name", link.name);
    member_text(reply, "kind", link.kind);
    reply_hardware(reply, "address", link.address);
    member_int(reply, "mtu_bytes", link.mtu_bytes);
    member_bool(reply, "up", (flags & IFF_UP) != 0);
    member_bool(reply, "promisc", (flags & IFF_PROMISC) != 0);
    member_bool(reply, "allmulti", (flags & IFF_ALLMULTI) != 0);
    member_int(reply, "txqlen", link.txqlen);
    member_text(reply, "operstate", (struct span){operstate, (uint32_t)strlen(operstate)});
    member_int(reply, "master", link.master);
    member_int(reply, "peer", span_is(link.kind, "veth") ? link.lower : 0);
    member_bool(reply, "vlan_filtering", link.vlan_filtering);
    member_int(reply, "table", link.table);
    reply_object_end(reply);
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

/* Making */

static struct request *make(struct span name, uint32_t flags)
{
    struct request *add = request_command(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    request_ifinfomsg(add, AF_UNSPEC, 0, flags, flags);
    request_text(add, IFLA_IFNAME, name);
    return add;
}

static void request_kind(struct request *request, const char *kind)
{
    request_text(request, IFLA_INFO_KIND, (struct span){kind, (uint32_t)strlen(kind)});
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
    request_kind(add, "bridge");
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
    request_kind(add, "vrf");
    uint32_t data = request_nest(add, IFLA_INFO_DATA);
    request_u32(add, IFLA_VRF_TABLE, (uint32_t)table);
    request_end(add, data);
    request_end(add, info);
    return netlink_run(netlink, &host->reply, add);
}

/** What both ends of a pair may be told; an empty address and MTU 0 are left to the kernel. */
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
    request_kind(add, "veth");
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
