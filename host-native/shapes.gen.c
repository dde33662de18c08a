/* Generated from host-node/abi/ by `npm run generate`. Do not edit. */

#include "shapes.gen.h"

#include <stddef.h>

#include "shape.h"

static const struct field LINK_FIELDS[] = {
    {FIELD_I32, offsetof(struct link_shape, ifindex), "ifindex"},
    {FIELD_TEXT, offsetof(struct link_shape, name), "name"},
    {FIELD_TEXT, offsetof(struct link_shape, kind), "kind"},
    {FIELD_TEXT, offsetof(struct link_shape, address), "address"},
    {FIELD_I32, offsetof(struct link_shape, mtu_bytes), "mtu_bytes"},
    {FIELD_BOOL, offsetof(struct link_shape, up), "up"},
    {FIELD_BOOL, offsetof(struct link_shape, promisc), "promisc"},
    {FIELD_BOOL, offsetof(struct link_shape, allmulti), "allmulti"},
    {FIELD_U32, offsetof(struct link_shape, txqlen), "txqlen"},
    {FIELD_TEXT, offsetof(struct link_shape, operstate), "operstate"},
    {FIELD_I32, offsetof(struct link_shape, master), "master"},
    {FIELD_I32, offsetof(struct link_shape, peer), "peer"},
    {FIELD_BOOL, offsetof(struct link_shape, vlan_filtering), "vlan_filtering"},
    {FIELD_U32, offsetof(struct link_shape, table), "table"},
    {FIELD_END, 0, ""},
};

void write_link(struct reply *reply, const struct link_shape *from)
{
    reply_shape(reply, LINK_FIELDS, from);
}

static const struct field ADDRESS_FIELDS[] = {
    {FIELD_TEXT, offsetof(struct address_shape, address), "address"},
    {FIELD_I32, offsetof(struct address_shape, scope), "scope"},
    {FIELD_BOOL, offsetof(struct address_shape, tentative), "tentative"},
    {FIELD_BOOL, offsetof(struct address_shape, dadfailed), "dadfailed"},
    {FIELD_END, 0, ""},
};

void write_address(struct reply *reply, const struct address_shape *from)
{
    reply_shape(reply, ADDRESS_FIELDS, from);
}

static const struct field ROUTE_FIELDS[] = {
    {FIELD_TEXT, offsetof(struct route_shape, dst), "dst"},
    {FIELD_TEXT, offsetof(struct route_shape, gw), "gw"},
    {FIELD_TEXT, offsetof(struct route_shape, src), "src"},
    {FIELD_I32, offsetof(struct route_shape, scope), "scope"},
    {FIELD_U32, offsetof(struct route_shape, table), "table"},
    {FIELD_U32, offsetof(struct route_shape, priority), "priority"},
    {FIELD_I32, offsetof(struct route_shape, mtu_bytes), "mtu_bytes"},
    {FIELD_I32, offsetof(struct route_shape, advmss), "advmss"},
    {FIELD_I32, offsetof(struct route_shape, protocol), "protocol"},
    {FIELD_END, 0, ""},
};

void write_route(struct reply *reply, const struct route_shape *from)
{
    reply_shape(reply, ROUTE_FIELDS, from);
}

static const struct field ROUTE_TO_FIELDS[] = {
    {FIELD_TEXT, offsetof(struct route_to_shape, route.dst), "dst"},
    {FIELD_TEXT, offsetof(struct route_to_shape, route.gw), "gw"},
    {FIELD_TEXT, offsetof(struct route_to_shape, route.src), "src"},
    {FIELD_I32, offsetof(struct route_to_shape, route.scope), "scope"},
    {FIELD_U32, offsetof(struct route_to_shape, route.table), "table"},
    {FIELD_U32, offsetof(struct route_to_shape, route.priority), "priority"},
    {FIELD_I32, offsetof(struct route_to_shape, route.mtu_bytes), "mtu_bytes"},
    {FIELD_I32, offsetof(struct route_to_shape, route.advmss), "advmss"},
    {FIELD_I32, offsetof(struct route_to_shape, route.protocol), "protocol"},
    {FIELD_I32, offsetof(struct route_to_shape, ifindex), "ifindex"},
    {FIELD_END, 0, ""},
};

void write_route_to(struct reply *reply, const struct route_to_shape *from)
{
    reply_shape(reply, ROUTE_TO_FIELDS, from);
}

static const struct field FIB_RULE_FIELDS[] = {
    {FIELD_TEXT, offsetof(struct fib_rule_shape, src), "src"},
    {FIELD_U32, offsetof(struct fib_rule_shape, table), "table"},
    {FIELD_U32, offsetof(struct fib_rule_shape, priority), "priority"},
    {FIELD_BOOL, offsetof(struct fib_rule_shape, more), "more"},
    {FIELD_END, 0, ""},
};

void write_fib_rule(struct reply *reply, const struct fib_rule_shape *from)
{
    reply_shape(reply, FIB_RULE_FIELDS, from);
}

static const struct field PORT_VLAN_FIELDS[] = {
    {FIELD_I32, offsetof(struct port_vlan_shape, vid), "vid"},
    {FIELD_BOOL, offsetof(struct port_vlan_shape, pvid), "pvid"},
    {FIELD_BOOL, offsetof(struct port_vlan_shape, untagged), "untagged"},
    {FIELD_END, 0, ""},
};

void write_port_vlan(struct reply *reply, const struct port_vlan_shape *from)
{
    reply_shape(reply, PORT_VLAN_FIELDS, from);
}

static const struct field QDISC_FIELDS[] = {
    {FIELD_TEXT, offsetof(struct qdisc_shape, kind), "kind"},
    {FIELD_U32, offsetof(struct qdisc_shape, handle), "handle"},
    {FIELD_I64, offsetof(struct qdisc_shape, rate), "rate"},
    {FIELD_U32, offsetof(struct qdisc_shape, limit), "limit"},
    {FIELD_U32, offsetof(struct qdisc_shape, buffer), "buffer"},
    {FIELD_END, 0, ""},
};

void write_qdisc(struct reply *reply, const struct qdisc_shape *from)
{
    reply_shape(reply, QDISC_FIELDS, from);
}

static const struct field FILTER_FIELDS[] = {
    {FIELD_I32, offsetof(struct filter_shape, pref), "pref"},
    {FIELD_TEXT, offsetof(struct filter_shape, kind), "kind"},
    {FIELD_U32, offsetof(struct filter_shape, handle), "handle"},
    {FIELD_I32, offsetof(struct filter_shape, to), "to"},
    {FIELD_END, 0, ""},
};

void write_filter(struct reply *reply, const struct filter_shape *from)
{
    reply_shape(reply, FILTER_FIELDS, from);
}

static const struct field NFT_RULE_FIELDS[] = {
    {FIELD_TEXT, offsetof(struct nft_rule_shape, chain), "chain"},
    {FIELD_TEXT, offsetof(struct nft_rule_shape, comment), "comment"},
    {FIELD_END, 0, ""},
};

void write_nft_rule(struct reply *reply, const struct nft_rule_shape *from)
{
    reply_shape(reply, NFT_RULE_FIELDS, from);
}

static const struct field NFT_HANDLE_FIELDS[] = {
    {FIELD_I64, offsetof(struct nft_handle_shape, handle), "handle"},
    {FIELD_TEXT, offsetof(struct nft_handle_shape, comment), "comment"},
    {FIELD_LIST, 0, "does"},
};

void write_nft_handle(struct reply *reply, const struct nft_handle_shape *from)
{
    reply_shape(reply, NFT_HANDLE_FIELDS, from);
}

static const struct field NFT_CHAIN_FIELDS[] = {
    {FIELD_U32, offsetof(struct nft_chain_shape, use), "use"},
    {FIELD_LIST, 0, "rules"},
};

void write_nft_chain(struct reply *reply, const struct nft_chain_shape *from)
{
    reply_shape(reply, NFT_CHAIN_FIELDS, from);
}

static const struct field NFT_BASE_FIELDS[] = {
    {FIELD_I32, offsetof(struct nft_base_shape, family), "family"},
    {FIELD_TEXT, offsetof(struct nft_base_shape, table), "table"},
    {FIELD_TEXT, offsetof(struct nft_base_shape, chain), "chain"},
    {FIELD_I32, offsetof(struct nft_base_shape, priority), "priority"},
    {FIELD_TEXT, offsetof(struct nft_base_shape, policy), "policy"},
    {FIELD_END, 0, ""},
};

void write_nft_base(struct reply *reply, const struct nft_base_shape *from)
{
    reply_shape(reply, NFT_BASE_FIELDS, from);
}

static const struct field NFT_ELEMENT_FIELDS[] = {
    {FIELD_TEXT, offsetof(struct nft_element_shape, key), "key"},
    {FIELD_TEXT, offsetof(struct nft_element_shape, data), "data"},
    {FIELD_TEXT, offsetof(struct nft_element_shape, comment), "comment"},
    {FIELD_END, 0, ""},
};

void write_nft_element(struct reply *reply, const struct nft_element_shape *from)
{
    reply_shape(reply, NFT_ELEMENT_FIELDS, from);
}

static const struct field NAMED_TEXT_FIELDS[] = {
    {FIELD_TEXT, offsetof(struct named_text_shape, name), "name"},
    {FIELD_TEXT_OR_NULL, offsetof(struct named_text_shape, content), "content"},
    {FIELD_END, 0, ""},
};

void write_named_text(struct reply *reply, const struct named_text_shape *from)
{
    reply_shape(reply, NAMED_TEXT_FIELDS, from);
}

static const struct field ENDED_FIELDS[] = {
    {FIELD_I32, offsetof(struct ended_shape, exit_code), "exit_code"},
    {FIELD_TEXT, offsetof(struct ended_shape, signal), "signal"},
    {FIELD_TEXT, offsetof(struct ended_shape, stdout_), "stdout"},
    {FIELD_TEXT, offsetof(struct ended_shape, stderr_), "stderr"},
    {FIELD_END, 0, ""},
};

void write_ended(struct reply *reply, const struct ended_shape *from)
{
    reply_shape(reply, ENDED_FIELDS, from);
}
