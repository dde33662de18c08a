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

/* Numbers of the network's byte order. */

static int32_t number(struct view value)
{
    return (int32_t)ntohl(view_u32(value, 0));
}

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
        if (attr.type == NFTA_GEN_ID) *now = (uint32_t)number(attr.value);
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

/* Data and expressions */

/** NF_* and NFT_* in nft's words. */
static const char *verdict_word(int32_t code)
{
    switch (code) {
    case 0: return "drop";
    case 1: return "accept";
    case NFT_CONTINUE: return "continue";
    case NFT_BREAK: return "break";
    case NFT_JUMP: return "jump";
    case NFT_GOTO: return "goto";
    case NFT_RETURN: return "return";
    default: return NULL;
    }
}

enum { HEX_MAX = 2 * NFT_DATA_VALUE_MAXLEN };

/** Bytes in hex or a verdict in words; the longest has a chain's name of 127 bytes. */
struct data {
    char text[HEX_MAX > 192 ? HEX_MAX : 192];
    uint32_t length;
};

static void hex_of(struct view bytes, struct data *into)
{
    static const char HEX[] = "0123456789abcdef";
    uint32_t length = view_length(bytes);
    if (length > HEX_MAX / 2) {
        reply_malformed();
        length = 0;
    }
    for (uint32_t at = 0; at < length; at++) {
        into->text[at * 2] = HEX[bytes.at[at] >> 4];
        into->text[at * 2 + 1] = HEX[bytes.at[at] & 15];
    }
    into->length = length * 2;
}

static void verdict_of(struct view verdict, struct data *into)
{
    char digits[12] = "";
    const char *word = "";
    struct span chain = {"", 0};
    const char *space = "";
    struct attr attr;
    while (attr_next(&verdict, &attr)) {
        if (attr.type == NFTA_VERDICT_CODE) {
            int32_t code = number(attr.value);
            word = verdict_word(code);
            (void)snprintf(digits, sizeof digits, "%d", code);
            if (word == NULL) word = digits;
        } else if (attr.type == NFTA_VERDICT_CHAIN) {
            chain = view_text(attr.value);
            space = " ";
        }
    }
    int length = snprintf(into->text, sizeof into->text, "%s%s%.*s", word,
        space, (int)chain.len, chain.ptr);
    if (length < 0 || (size_t)length >= sizeof into->text) {
        reply_malformed();
        length = 0;
    }
    into->length = (uint32_t)length;
}

/** The words of a verdict, if data is one. */
static void verdict_in(struct view nested, struct data *into)
{
    struct attr attr;
    while (attr_next(&nested, &attr)) {
        if (attr.type == NFTA_DATA_VERDICT) verdict_of(attr.value, into);
    }
}

/** "match NAME" or "target NAME": names of xtables have 28 bytes at most. */
static void name_of(struct span kind, struct span name, struct data *into)
{
    int length = snprintf(into->text, sizeof into->text, "%.*s %.*s", (int)kind.len, kind.ptr,
        (int)name.len, name.ptr);
    if (length < 0 || (size_t)length >= sizeof into->text) {
        reply_malformed();
        length = 0;
    }
    into->length = (uint32_t)length;
}

static void data_of(struct view nested, struct data *into)
{
    struct attr attr;
    while (attr_next(&nested, &attr)) {
        if (attr.type == NFTA_DATA_VALUE) hex_of(attr.value, into);
        else if (attr.type == NFTA_DATA_VERDICT) verdict_of(attr.value, into);
    }
}

/** What an expression is called; a verdict in words, a match or target of xtables with its name. */
static void reply_expression(struct reply *reply, struct view expression)
{
    struct span name = {"", 0};
    struct data more = {.length = 0};
    struct attr attr;
    while (attr_next(&expression, &attr)) {
        if (attr.type == NFTA_EXPR_NAME) name = view_text(attr.value);
        if (attr.type != NFTA_EXPR_DATA) continue;
        struct view data = attr.value;
        while (attr_next(&data, &attr)) {
            if (span_is(name, "immediate") && attr.type == NFTA_IMMEDIATE_DATA) {
                verdict_in(attr.value, &more);
            } else if ((span_is(name, "match") && attr.type == NFTA_MATCH_NAME)
                || (span_is(name, "target") && attr.type == NFTA_TARGET_NAME)) {
                name_of(name, view_text(attr.value), &more);
            }
        }
    }
    if (more.length > 0) reply_json_string(reply, more.text, more.length);
    else reply_json_string(reply, name.ptr, name.len);
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
        if (attr.type == NFTA_CHAIN_USE) *use = (uint32_t)number(attr.value);
    }
}

static void visit_rule_of_chain(struct reply *reply, const struct message *message, void *context)
{
    (void)context;
    struct rule rule = parse_rule(message);
    // The kernel counts handles up from 1 for each table.
    write_nft_handle(reply, &(struct nft_handle_shape){(int64_t)rule.handle, rule.comment});
    struct attr attr;
    while (attr_next(&rule.expressions, &attr)) reply_expression(reply, attr.value);
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
            const char *word = verdict_word(number(attr.value));
            if (word != NULL) base.policy = span_of(word);
        }
        if (attr.type != NFTA_CHAIN_HOOK) continue;
        struct view hook = attr.value;
        while (attr_next(&hook, &attr)) {
            if (attr.type == NFTA_HOOK_HOOKNUM) at = number(attr.value);
            else if (attr.type == NFTA_HOOK_PRIORITY) base.priority = number(attr.value);
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
    struct data key = {.length = 0};
    struct data data = {.length = 0};
    struct span comment = {"", 0};
    struct attr attr;
    while (attr_next(&element, &attr)) {
        if (attr.type == NFTA_SET_ELEM_KEY) data_of(attr.value, &key);
        else if (attr.type == NFTA_SET_ELEM_DATA) data_of(attr.value, &data);
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
