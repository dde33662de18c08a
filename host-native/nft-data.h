/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data of nftables in words: bytes in hex, verdicts, what expressions are called. It refuses to
 * know where they stand.
 */
#ifndef FAIRLEAD_NFT_DATA_H
#define FAIRLEAD_NFT_DATA_H

#include <linux/netfilter/nf_tables.h>
#include <stdint.h>

#include "view.h"

enum { HEX_MAX = 2 * NFT_DATA_VALUE_MAXLEN };

/** Bytes in hex or a verdict in words; the longest has a chain's name of 127 bytes. */
struct nft_data {
    char text[HEX_MAX > 192 ? HEX_MAX : 192];
    uint32_t length;
};

/** A number of the byte order of the network. */
int32_t nft_number(struct view value);

/** NF_* and NFT_* in nft's words; NULL for any other. */
const char *nft_verdict(int32_t code);

/** What an attribute of data says. */
void nft_data_of(struct view nested, struct nft_data *into);

/** What an expression is called; a verdict in words, a match or target of xtables with its name. */
void nft_expression(struct reply *reply, struct view expression);

#endif
