/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations on nftables of host-node/abi/ over a nfnetlink socket per namespace. It decides
 * nothing: what a transaction says comes from the core, byte for byte. It refuses to know any
 * table, and to trust a reply.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "abi.gen.h"
#include "netns.h"
#include "nft-data.h"
#include "shape.h"
#include "shapes.gen.h"
#include "text.h"

enum {
    NFTABLES = NFNL_SUBSYS_NFTABLES << 8,
    /** libnftnl's user data: a type and a length of one byte each, then the value. */
    UDATA_HEADER = 2,
    UDATA_COMMENT = 0,
};

static int32_t nft_socket(struct host *host, int32_t ns, struct netlink **into)
{
    return netns_socket(host, ns, NETLINK_NETFILTER, into);
}

/* Asking */

static struct request *generic(struct request *request, int32_t family)
{
    struct nfgenmsg body = {.nfgen_family = (uint8_t)family, .version = NFNETLINK_V0};
    request_append(request, &body, sizeof body);
    return request;
}

/** Of the byte order of the network. */
static uint64_t wide(struct view value)
{
    return (uint64_t)ntohl(view_u32(value, 0)) << 32 | ntohl(view_u32(value, 4));
}

/** The comment in user data, empty when it has none. */
static struct span comment_of(struct view udata)
{
    while (view_length(udata) >= UDATA_HEADER) {
        uint8_t type = view_u8(udata, 0);
        uint8_t length = view_u8(udata, 1);
        struct view value = view_from(udata, UDATA_HEADER);
        if (length > view_length(value)) {
            reply_malformed();
            break;
        }
        if (type == UDATA_COMMENT) return view_text((struct view){value.at, value.at + length});
        udata = view_from(value, length);
    }
    return (struct span){"", 0};
}

/** A rule, as far as it is told. */
struct rule {
    struct span chain;
    struct span comment;
    uint64_t handle;
    struct view expressions;
};

static struct rule parse_rule(const struct message *message)
{
    struct rule rule = {.chain = {"", 0}, .comment = {"", 0}};
    struct view attrs = view_from(message->body, sizeof(struct nfgenmsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == NFTA_RULE_CHAIN) rule.chain = view_text(attr.value);
        else if (attr.type == NFTA_RULE_USERDATA) rule.comment = comment_of(attr.value);
        else if (attr.type == NFTA_RULE_HANDLE) rule.handle = wide(attr.value);
        else if (attr.type == NFTA_RULE_EXPRESSIONS) rule.expressions = attr.value;
    }
    return rule;
}

static void visit_generation(struct reply *reply, const struct message *message, void *context)
{
    (void)reply;
    uint32_t *now = context;
    *now = 0;
    struct view attrs = view_from(message->body, sizeof(struct nfgenmsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == NFTA_GEN_ID) *now = (uint32_t)nft_number(attr.value);
    }
}

int32_t nft_generation(struct host *host, int32_t ns)
{
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    uint32_t now = 0;
    int32_t status = nft_socket(host, ns, &netlink);
    if (status < 0) return status;
    struct request *get = generic(request_command(NFTABLES | NFT_MSG_GETGEN, 0), 0);
    status = netlink_get(netlink, reply, get, visit_generation, &now);
    if (status < 0) return status;
    if (now == 0) return reply_fail(reply, EBADMSG, "no generation in the reply");
    reply_int(reply, now);
    return reply_end(reply);
}

static void visit_rule(struct reply *reply, const struct message *message, void *context)
{
    (void)context;
    struct rule rule = parse_rule(message);
    write_nft_rule(reply, &(struct nft_rule_shape){rule.chain, rule.comment});
}

int32_t nft_rule_list(struct host *host, int32_t ns, int32_t family, struct span table)
{
    struct netlink *netlink;
    int32_t status = nft_socket(host, ns, &netlink);
    if (status < 0) return status;
    struct request *list = generic(request_dump(NFTABLES | NFT_MSG_GETRULE), family);
    request_text(list, NFTA_RULE_TABLE, table);
    return netlink_list(netlink, &host->reply, list, visit_rule, NULL);
}

/* Chains */

static void visit_use(struct reply *reply, const struct message *message, void *context)
{
    (void)reply;
    int64_t *use = context;
    *use = 0;
    struct view attrs = view_from(message->body, sizeof(struct nfgenmsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == NFTA_CHAIN_USE) *use = (uint32_t)nft_number(attr.value);
    }
}

static void visit_rule_of_chain(struct reply *reply, const struct message *message, void *context)
{
    (void)context;
    struct rule rule = parse_rule(message);
    // The kernel counts handles up from 1 for each table.
    write_nft_handle(reply, &(struct nft_handle_shape){(int64_t)rule.handle, rule.comment});
    struct attr attr;
    while (attr_next(&rule.expressions, &attr)) nft_expression(reply, attr.value);
    reply_shape_end(reply);
}

int32_t nft_chain_get(struct host *host, int32_t ns, int32_t family, struct span table,
    struct span chain)
{
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    int64_t use = -1;
    int32_t status = nft_socket(host, ns, &netlink);
    if (status < 0) return status;
    struct request *get = generic(request_command(NFTABLES | NFT_MSG_GETCHAIN, 0), family);
    request_text(get, NFTA_CHAIN_TABLE, table);
    request_text(get, NFTA_CHAIN_NAME, chain);
    status = netlink_get(netlink, reply, get, visit_use, &use);
    if (status < 0) return status;
    if (use < 0) return reply_fail(reply, EBADMSG, "no chain in the reply");
    write_nft_chain(reply, &(struct nft_chain_shape){(uint32_t)use});
    struct request *list = generic(request_dump(NFTABLES | NFT_MSG_GETRULE), family);
    request_text(list, NFTA_RULE_TABLE, table);
    request_text(list, NFTA_RULE_CHAIN, chain);
    status = netlink_dump(netlink, reply, list, visit_rule_of_chain, NULL, NULL);
    if (status < 0) return status;
    reply_shape_end(reply);
    return reply_end(reply);
}

static void visit_base(struct reply *reply, const struct message *message, void *context)
{
    const int32_t *hooknum = context;
    struct nft_base_shape base = {.family = view_u8(message->body, 0)};
    int32_t at = -1;
    struct view attrs = view_from(message->body, sizeof(struct nfgenmsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type == NFTA_CHAIN_TABLE) base.table = view_text(attr.value);
        else if (attr.type == NFTA_CHAIN_NAME) base.chain = view_text(attr.value);
        else if (attr.type == NFTA_CHAIN_POLICY) {
            const char *word = nft_verdict(nft_number(attr.value));
            if (word != NULL) base.policy = span_of(word);
        }
        if (attr.type != NFTA_CHAIN_HOOK) continue;
        struct view hook = attr.value;
        while (attr_next(&hook, &attr)) {
            if (attr.type == NFTA_HOOK_HOOKNUM) at = nft_number(attr.value);
            else if (attr.type == NFTA_HOOK_PRIORITY) base.priority = nft_number(attr.value);
        }
    }
    if (at != *hooknum) return;
    write_nft_base(reply, &base);
}

int32_t nft_chain_list(struct host *host, int32_t ns, int32_t hooknum)
{
    struct netlink *netlink;
    int32_t status = nft_socket(host, ns, &netlink);
    if (status < 0) return status;
    // Of all families.
    struct request *list = generic(request_dump(NFTABLES | NFT_MSG_GETCHAIN), 0);
    return netlink_list(netlink, &host->reply, list, visit_base, &hooknum);
}

/* Elements */

static void reply_element(struct reply *reply, struct view element)
{
    struct nft_data key = {.length = 0};
    struct nft_data data = {.length = 0};
    struct span comment = {"", 0};
    struct attr attr;
    while (attr_next(&element, &attr)) {
        if (attr.type == NFTA_SET_ELEM_KEY) nft_data_of(attr.value, &key);
        else if (attr.type == NFTA_SET_ELEM_DATA) nft_data_of(attr.value, &data);
        else if (attr.type == NFTA_SET_ELEM_USERDATA) comment = comment_of(attr.value);
    }
    struct nft_element_shape told = {
        .key = {key.text, key.length},
        .data = {data.text, data.length},
        .comment = comment,
    };
    write_nft_element(reply, &told);
}

static void visit_elements(struct reply *reply, const struct message *message, void *context)
{
    (void)context;
    struct view attrs = view_from(message->body, sizeof(struct nfgenmsg));
    struct attr attr;
    while (attr_next(&attrs, &attr)) {
        if (attr.type != NFTA_SET_ELEM_LIST_ELEMENTS) continue;
        struct view list = attr.value;
        while (attr_next(&list, &attr)) reply_element(reply, attr.value);
    }
}

static void request_set(struct request *request, struct span table, struct span set)
{
    request_text(request, NFTA_SET_ELEM_LIST_TABLE, table);
    request_text(request, NFTA_SET_ELEM_LIST_SET, set);
}

int32_t nft_element_list(struct host *host, int32_t ns, int32_t family, struct span table,
    struct span set)
{
    struct netlink *netlink;
    int32_t status = nft_socket(host, ns, &netlink);
    if (status < 0) return status;
    struct request *list = generic(request_dump(NFTABLES | NFT_MSG_GETSETELEM), family);
    request_set(list, table, set);
    return netlink_list(netlink, &host->reply, list, visit_elements, NULL);
}

int32_t nft_element_get(struct host *host, int32_t ns, int32_t family, struct span table,
    struct span set, struct span key)
{
    struct reply *reply = &host->reply;
    struct netlink *netlink;
    int32_t status = nft_socket(host, ns, &netlink);
    if (status < 0) return status;
    struct request *get = generic(request_command(NFTABLES | NFT_MSG_GETSETELEM, 0), family);
    request_set(get, table, set);
    uint32_t list = request_nest(get, NFTA_SET_ELEM_LIST_ELEMENTS);
    uint32_t element = request_nest(get, NFTA_LIST_ELEM);
    uint32_t value = request_nest(get, NFTA_SET_ELEM_KEY);
    request_attr(get, NFTA_DATA_VALUE, key.ptr, key.len);
    request_end(get, value);
    request_end(get, element);
    request_end(get, list);
    reply_list(reply);
    status = netlink_get(netlink, reply, get, visit_elements, NULL);
    if (status < 0) return status;
    reply_list_end(reply);
    return reply_end(reply);
}

/* Transactions */

static bool deletes(uint16_t type)
{
    switch (type - NFTABLES) {
    case NFT_MSG_DELTABLE:
    case NFT_MSG_DELCHAIN:
    case NFT_MSG_DELRULE:
    case NFT_MSG_DELSET:
    case NFT_MSG_DELSETELEM:
    case NFT_MSG_DELOBJ:
    case NFT_MSG_DELFLOWTABLE: return true;
    default: return false;
    }
}

int32_t nft_batch(struct host *host, int32_t ns, struct span messages, struct span words)
{
    // They say the same for people.
    (void)words;
    struct netlink *netlink;
    int32_t status = nft_socket(host, ns, &netlink);
    if (status < 0) return status;
    // What is deleted is out of sight at once, and freed when no packet can be at it any more. The
    // close of a nfnetlink socket waits for that, and all other transactions for the close.
    if (netlink_batch_has(messages, deletes)) netlink->lingers = true;
    return netlink_transact(netlink, &host->reply, messages);
}
