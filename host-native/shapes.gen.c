/* SPDX-License-Identifier: Apache-2.0 */
/* Generated from host-node/abi/ by `npm run generate`. Do not edit. */

#include "shapes.gen.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "shape.h"

static_assert(sizeof(struct link_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char LINK_FIELDS[] = {
    FIELD_I32, (char)offsetof(struct link_shape, ifindex), 'i', 'f', 'i', 'n', 'd', 'e', 'x', 0,
    FIELD_TEXT, (char)offsetof(struct link_shape, name), 'n', 'a', 'm', 'e', 0,
    FIELD_TEXT, (char)offsetof(struct link_shape, kind), 'k', 'i', 'n', 'd', 0,
    FIELD_TEXT, (char)offsetof(struct link_shape, address), 'a', 'd', 'd', 'r', 'e', 's', 's', 0,
    FIELD_I32, (char)offsetof(struct link_shape, mtu_bytes), 'm', 't', 'u', '_', 'b', 'y', 't', 'e',
        's', 0,
    FIELD_BOOL, (char)offsetof(struct link_shape, up), 'u', 'p', 0,
    FIELD_BOOL, (char)offsetof(struct link_shape, promisc), 'p', 'r', 'o', 'm', 'i', 's', 'c', 0,
    FIELD_BOOL, (char)offsetof(struct link_shape, allmulti), 'a', 'l', 'l', 'm', 'u', 'l', 't', 'i',
        0,
    FIELD_U32, (char)offsetof(struct link_shape, txqlen), 't', 'x', 'q', 'l', 'e', 'n', 0,
    FIELD_TEXT, (char)offsetof(struct link_shape, operstate), 'o', 'p', 'e', 'r', 's', 't', 'a',
        't', 'e', 0,
    FIELD_I32, (char)offsetof(struct link_shape, master), 'm', 'a', 's', 't', 'e', 'r', 0,
    FIELD_I32, (char)offsetof(struct link_shape, peer), 'p', 'e', 'e', 'r', 0,
    FIELD_BOOL, (char)offsetof(struct link_shape, vlan_filtering), 'v', 'l', 'a', 'n', '_', 'f',
        'i', 'l', 't', 'e', 'r', 'i', 'n', 'g', 0,
    FIELD_U32, (char)offsetof(struct link_shape, table), 't', 'a', 'b', 'l', 'e', 0,
    FIELD_I32, (char)offsetof(struct link_shape, lower), 'l', 'o', 'w', 'e', 'r', 0,
    FIELD_TEXT, (char)offsetof(struct link_shape, mode), 'm', 'o', 'd', 'e', 0,
    FIELD_I32, (char)offsetof(struct link_shape, vid), 'v', 'i', 'd', 0,
    FIELD_TEXT, (char)offsetof(struct link_shape, alias), 'a', 'l', 'i', 'a', 's', 0,
    FIELD_TEXT, (char)offsetof(struct link_shape, permaddr), 'p', 'e', 'r', 'm', 'a', 'd', 'd', 'r',
        0,
    FIELD_END,
};

void write_link(struct reply *reply, const struct link_shape *from)
{
    reply_shape(reply, LINK_FIELDS, from);
}

static_assert(sizeof(struct address_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char ADDRESS_FIELDS[] = {
    FIELD_TEXT, (char)offsetof(struct address_shape, address), 'a', 'd', 'd', 'r', 'e', 's', 's', 0,
    FIELD_I32, (char)offsetof(struct address_shape, scope), 's', 'c', 'o', 'p', 'e', 0,
    FIELD_BOOL, (char)offsetof(struct address_shape, tentative), 't', 'e', 'n', 't', 'a', 't', 'i',
        'v', 'e', 0,
    FIELD_BOOL, (char)offsetof(struct address_shape, dadfailed), 'd', 'a', 'd', 'f', 'a', 'i', 'l',
        'e', 'd', 0,
    FIELD_END,
};

void write_address(struct reply *reply, const struct address_shape *from)
{
    reply_shape(reply, ADDRESS_FIELDS, from);
}

static_assert(sizeof(struct route_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char ROUTE_FIELDS[] = {
    FIELD_TEXT, (char)offsetof(struct route_shape, dst), 'd', 's', 't', 0,
    FIELD_TEXT, (char)offsetof(struct route_shape, gw), 'g', 'w', 0,
    FIELD_TEXT, (char)offsetof(struct route_shape, src), 's', 'r', 'c', 0,
    FIELD_I32, (char)offsetof(struct route_shape, scope), 's', 'c', 'o', 'p', 'e', 0,
    FIELD_U32, (char)offsetof(struct route_shape, table), 't', 'a', 'b', 'l', 'e', 0,
    FIELD_U32, (char)offsetof(struct route_shape, priority), 'p', 'r', 'i', 'o', 'r', 'i', 't', 'y',
        0,
    FIELD_I32, (char)offsetof(struct route_shape, mtu_bytes), 'm', 't', 'u', '_', 'b', 'y', 't',
        'e', 's', 0,
    FIELD_I32, (char)offsetof(struct route_shape, advmss), 'a', 'd', 'v', 'm', 's', 's', 0,
    FIELD_I32, (char)offsetof(struct route_shape, protocol), 'p', 'r', 'o', 't', 'o', 'c', 'o', 'l',
        0,
    FIELD_END,
};

void write_route(struct reply *reply, const struct route_shape *from)
{
    reply_shape(reply, ROUTE_FIELDS, from);
}

static_assert(sizeof(struct route_to_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char ROUTE_TO_FIELDS[] = {
    FIELD_TEXT, (char)offsetof(struct route_to_shape, route.dst), 'd', 's', 't', 0,
    FIELD_TEXT, (char)offsetof(struct route_to_shape, route.gw), 'g', 'w', 0,
    FIELD_TEXT, (char)offsetof(struct route_to_shape, route.src), 's', 'r', 'c', 0,
    FIELD_I32, (char)offsetof(struct route_to_shape, route.scope), 's', 'c', 'o', 'p', 'e', 0,
    FIELD_U32, (char)offsetof(struct route_to_shape, route.table), 't', 'a', 'b', 'l', 'e', 0,
    FIELD_U32, (char)offsetof(struct route_to_shape, route.priority), 'p', 'r', 'i', 'o', 'r', 'i',
        't', 'y', 0,
    FIELD_I32, (char)offsetof(struct route_to_shape, route.mtu_bytes), 'm', 't', 'u', '_', 'b', 'y',
        't', 'e', 's', 0,
    FIELD_I32, (char)offsetof(struct route_to_shape, route.advmss), 'a', 'd', 'v', 'm', 's', 's', 0,
    FIELD_I32, (char)offsetof(struct route_to_shape, route.protocol), 'p', 'r', 'o', 't', 'o', 'c',
        'o', 'l', 0,
    FIELD_I32, (char)offsetof(struct route_to_shape, ifindex), 'i', 'f', 'i', 'n', 'd', 'e', 'x', 0,
    FIELD_END,
};

void write_route_to(struct reply *reply, const struct route_to_shape *from)
{
    reply_shape(reply, ROUTE_TO_FIELDS, from);
}

static_assert(sizeof(struct fib_rule_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char FIB_RULE_FIELDS[] = {
    FIELD_TEXT, (char)offsetof(struct fib_rule_shape, src), 's', 'r', 'c', 0,
    FIELD_U32, (char)offsetof(struct fib_rule_shape, table), 't', 'a', 'b', 'l', 'e', 0,
    FIELD_U32, (char)offsetof(struct fib_rule_shape, priority), 'p', 'r', 'i', 'o', 'r', 'i', 't',
        'y', 0,
    FIELD_BOOL, (char)offsetof(struct fib_rule_shape, more), 'm', 'o', 'r', 'e', 0,
    FIELD_END,
};

void write_fib_rule(struct reply *reply, const struct fib_rule_shape *from)
{
    reply_shape(reply, FIB_RULE_FIELDS, from);
}

static_assert(sizeof(struct port_vlan_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char PORT_VLAN_FIELDS[] = {
    FIELD_I32, (char)offsetof(struct port_vlan_shape, vid), 'v', 'i', 'd', 0,
    FIELD_BOOL, (char)offsetof(struct port_vlan_shape, pvid), 'p', 'v', 'i', 'd', 0,
    FIELD_BOOL, (char)offsetof(struct port_vlan_shape, untagged), 'u', 'n', 't', 'a', 'g', 'g', 'e',
        'd', 0,
    FIELD_END,
};

void write_port_vlan(struct reply *reply, const struct port_vlan_shape *from)
{
    reply_shape(reply, PORT_VLAN_FIELDS, from);
}

static_assert(sizeof(struct qdisc_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char QDISC_FIELDS[] = {
    FIELD_TEXT, (char)offsetof(struct qdisc_shape, kind), 'k', 'i', 'n', 'd', 0,
    FIELD_U32, (char)offsetof(struct qdisc_shape, handle), 'h', 'a', 'n', 'd', 'l', 'e', 0,
    FIELD_I64, (char)offsetof(struct qdisc_shape, rate), 'r', 'a', 't', 'e', 0,
    FIELD_U32, (char)offsetof(struct qdisc_shape, limit), 'l', 'i', 'm', 'i', 't', 0,
    FIELD_U32, (char)offsetof(struct qdisc_shape, buffer), 'b', 'u', 'f', 'f', 'e', 'r', 0,
    FIELD_END,
};

void write_qdisc(struct reply *reply, const struct qdisc_shape *from)
{
    reply_shape(reply, QDISC_FIELDS, from);
}

static_assert(sizeof(struct filter_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char FILTER_FIELDS[] = {
    FIELD_I32, (char)offsetof(struct filter_shape, pref), 'p', 'r', 'e', 'f', 0,
    FIELD_TEXT, (char)offsetof(struct filter_shape, kind), 'k', 'i', 'n', 'd', 0,
    FIELD_U32, (char)offsetof(struct filter_shape, handle), 'h', 'a', 'n', 'd', 'l', 'e', 0,
    FIELD_I32, (char)offsetof(struct filter_shape, to), 't', 'o', 0,
    FIELD_END,
};

void write_filter(struct reply *reply, const struct filter_shape *from)
{
    reply_shape(reply, FILTER_FIELDS, from);
}

static_assert(sizeof(struct nft_rule_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char NFT_RULE_FIELDS[] = {
    FIELD_TEXT, (char)offsetof(struct nft_rule_shape, chain), 'c', 'h', 'a', 'i', 'n', 0,
    FIELD_TEXT, (char)offsetof(struct nft_rule_shape, comment), 'c', 'o', 'm', 'm', 'e', 'n', 't',
        0,
    FIELD_END,
};

void write_nft_rule(struct reply *reply, const struct nft_rule_shape *from)
{
    reply_shape(reply, NFT_RULE_FIELDS, from);
}

static_assert(sizeof(struct nft_handle_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char NFT_HANDLE_FIELDS[] = {
    FIELD_I64, (char)offsetof(struct nft_handle_shape, handle), 'h', 'a', 'n', 'd', 'l', 'e', 0,
    FIELD_TEXT, (char)offsetof(struct nft_handle_shape, comment), 'c', 'o', 'm', 'm', 'e', 'n', 't',
        0,
    FIELD_LIST, 0, 'd', 'o', 'e', 's', 0,
};

void write_nft_handle(struct reply *reply, const struct nft_handle_shape *from)
{
    reply_shape(reply, NFT_HANDLE_FIELDS, from);
}

static_assert(sizeof(struct nft_chain_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char NFT_CHAIN_FIELDS[] = {
    FIELD_U32, (char)offsetof(struct nft_chain_shape, use), 'u', 's', 'e', 0,
    FIELD_LIST, 0, 'r', 'u', 'l', 'e', 's', 0,
};

void write_nft_chain(struct reply *reply, const struct nft_chain_shape *from)
{
    reply_shape(reply, NFT_CHAIN_FIELDS, from);
}

static_assert(sizeof(struct nft_base_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char NFT_BASE_FIELDS[] = {
    FIELD_I32, (char)offsetof(struct nft_base_shape, family), 'f', 'a', 'm', 'i', 'l', 'y', 0,
    FIELD_TEXT, (char)offsetof(struct nft_base_shape, table), 't', 'a', 'b', 'l', 'e', 0,
    FIELD_TEXT, (char)offsetof(struct nft_base_shape, chain), 'c', 'h', 'a', 'i', 'n', 0,
    FIELD_I32, (char)offsetof(struct nft_base_shape, priority), 'p', 'r', 'i', 'o', 'r', 'i', 't',
        'y', 0,
    FIELD_TEXT, (char)offsetof(struct nft_base_shape, policy), 'p', 'o', 'l', 'i', 'c', 'y', 0,
    FIELD_END,
};

void write_nft_base(struct reply *reply, const struct nft_base_shape *from)
{
    reply_shape(reply, NFT_BASE_FIELDS, from);
}

static_assert(sizeof(struct nft_element_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char NFT_ELEMENT_FIELDS[] = {
    FIELD_TEXT, (char)offsetof(struct nft_element_shape, key), 'k', 'e', 'y', 0,
    FIELD_TEXT, (char)offsetof(struct nft_element_shape, data), 'd', 'a', 't', 'a', 0,
    FIELD_TEXT, (char)offsetof(struct nft_element_shape, comment), 'c', 'o', 'm', 'm', 'e', 'n',
        't', 0,
    FIELD_END,
};

void write_nft_element(struct reply *reply, const struct nft_element_shape *from)
{
    reply_shape(reply, NFT_ELEMENT_FIELDS, from);
}

static_assert(sizeof(struct named_text_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char NAMED_TEXT_FIELDS[] = {
    FIELD_TEXT, (char)offsetof(struct named_text_shape, name), 'n', 'a', 'm', 'e', 0,
    FIELD_TEXT_OR_NULL, (char)offsetof(struct named_text_shape, content), 'c', 'o', 'n', 't', 'e',
        'n', 't', 0,
    FIELD_END,
};

void write_named_text(struct reply *reply, const struct named_text_shape *from)
{
    reply_shape(reply, NAMED_TEXT_FIELDS, from);
}

static_assert(sizeof(struct ended_shape) <= UINT8_MAX + 1, "an offset is a byte");
static const char ENDED_FIELDS[] = {
    FIELD_I32, (char)offsetof(struct ended_shape, exit_code), 'e', 'x', 'i', 't', '_', 'c', 'o',
        'd', 'e', 0,
    FIELD_TEXT, (char)offsetof(struct ended_shape, signal), 's', 'i', 'g', 'n', 'a', 'l', 0,
    FIELD_TEXT, (char)offsetof(struct ended_shape, stdout_), 's', 't', 'd', 'o', 'u', 't', 0,
    FIELD_TEXT, (char)offsetof(struct ended_shape, stderr_), 's', 't', 'd', 'e', 'r', 'r', 0,
    FIELD_END,
};

void write_ended(struct reply *reply, const struct ended_shape *from)
{
    reply_shape(reply, ENDED_FIELDS, from);
}
