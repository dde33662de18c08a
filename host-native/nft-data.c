/* SPDX-License-Identifier: Apache-2.0 */
/* Data of nftables in words (nft-data.h). */
#include "nft-data.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <stdio.h>

#include "text.h"

int32_t nft_number(struct view value)
{
    return (int32_t)ntohl(view_u32(value, 0));
}

const char *nft_verdict(int32_t code)
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

static void hex_of(struct view bytes, struct nft_data *into)
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

static void verdict_of(struct view verdict, struct nft_data *into)
{
    char digits[12] = "";
    const char *word = "";
    struct span chain = {"", 0};
    const char *space = "";
    struct attr attr;
    while (attr_next(&verdict, &attr)) {
        if (attr.type == NFTA_VERDICT_CODE) {
            int32_t code = nft_number(attr.value);
            word = nft_verdict(code);
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
static void verdict_in(struct view nested, struct nft_data *into)
{
    struct attr attr;
    while (attr_next(&nested, &attr)) {
        if (attr.type == NFTA_DATA_VERDICT) verdict_of(attr.value, into);
    }
}

/** "match NAME" or "target NAME": names of xtables have 28 bytes at most. */
static void name_of(struct span kind, struct span name, struct nft_data *into)
{
    int length = snprintf(into->text, sizeof into->text, "%.*s %.*s", (int)kind.len, kind.ptr,
        (int)name.len, name.ptr);
    if (length < 0 || (size_t)length >= sizeof into->text) {
        reply_malformed();
        length = 0;
    }
    into->length = (uint32_t)length;
}

void nft_data_of(struct view nested, struct nft_data *into)
{
    struct attr attr;
    while (attr_next(&nested, &attr)) {
        if (attr.type == NFTA_DATA_VALUE) hex_of(attr.value, into);
        else if (attr.type == NFTA_DATA_VERDICT) verdict_of(attr.value, into);
    }
}

void nft_expression(struct reply *reply, struct view expression)
{
    struct span name = {"", 0};
    struct nft_data more = {.length = 0};
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
