/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP and hardware addresses, texts to bytes and back. It refuses what is not in the one usual
 * form: no zone, no octets of a shorter or octal form, no prefix lengths but decimal.
 */
#ifndef FAIRLEAD_IP_H
#define FAIRLEAD_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"
#include "netlink.h"

enum {
    IP4_BYTES = 4,
    IP6_BYTES = 16,
    ETHERNET_BYTES = 6,
    /** Of an IPv6 address with a prefix length, and its NUL. */
    IP_TEXT_MAX = 64,
    /** Of MAX_ADDR_LEN of linux/netdevice.h bytes. */
    HARDWARE_TEXT_MAX = 32 * 3,
};

/** An IPv4 (4 bytes) or IPv6 (16 bytes) address. */
struct ip {
    uint8_t bytes[IP6_BYTES];
    uint8_t length;
};

/** An address with its prefix length, host bits kept. */
struct prefix {
    struct ip ip;
    /** AF_INET or AF_INET6. */
    uint8_t family;
    uint8_t length;
};

/** -EINVAL with words when the text is no IP address. */
int32_t ip_parse(struct reply *reply, struct span text, struct ip *into);

/** address/length; -EINVAL with words when the text is none. */
int32_t prefix_parse(struct reply *reply, struct span text, struct prefix *into);

/** The broadcast address of an IPv4 prefix: all its host bits set. */
struct ip prefix_broadcast(const struct prefix *prefix);

/** Six pairs of hex digits; -EINVAL with words when the text is anything else. */
int32_t hardware_parse(struct reply *reply, struct span text, uint8_t into[ETHERNET_BYTES]);

/**
 * An address of 4 or 16 bytes as text, IPv6 in the form of RFC 5952; the reply is malformed
 * unless it has as many. Gives the length of the text.
 */
uint32_t ip_format(struct view bytes, char into[IP_TEXT_MAX]);

/** A hardware address as 0a:58:…, "" for no bytes. */
struct span hardware_format(struct view bytes, char into[HARDWARE_TEXT_MAX]);

#endif
