/* SPDX-License-Identifier: Apache-2.0 */
/* IP and hardware addresses (ip.h). */
#include "ip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    GROUPS = IP6_BYTES / 2,
    OCTET_MAX = 255,
};

/* Parsing */

/** A decimal number of one to three digits without a leading zero; -1 when it is none. */
static int32_t decimal(const char *at, const char *end)
{
    if (at == end || end - at > 3 || (*at == '0' && end - at > 1)) return -1;
    int32_t value = 0;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9') return -1;
        value = value * 10 + (*at - '0');
    }
    return value;
}

static int32_t hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

/** Where the first `mark` is, `end` when there is none. */
static const char *find(const char *at, const char *end, char mark)
{
    const char *found = at < end ? memchr(at, mark, (size_t)(end - at)) : NULL;
    return found == NULL ? end : found;
}

static bool parse_ip4(const char *at, const char *end, uint8_t into[IP4_BYTES])
{
    for (int octet = 0; octet < IP4_BYTES; octet++) {
        const char *dot = find(at, end, '.');
        int32_t value = decimal(at, dot);
        bool last = octet == IP4_BYTES - 1;
        if (value < 0 || value > OCTET_MAX || (dot == end) != last) return false;
        into[octet] = (uint8_t)value;
        at = dot == end ? end : dot + 1;
    }
    return true;
}

/** One to four hex digits; -1 when it is none. */
static int32_t group(const char *at, const char *end)
{
    if (at == end || end - at > 4) return -1;
    int32_t value = 0;
    for (; at < end; at++) {
        int32_t digit = hex_digit(*at);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/**
 * The bytes of one side of a "::", of which there are none in an empty text; `last`: its last
 * group may be a dotted IPv4 address. Gives their number, -1 when it is malformed or too much.
 */
static int parse_groups(const char *at, const char *end, bool last, uint8_t into[IP6_BYTES])
{
    int count = 0;
    while (at < end || count > 0) {
        const char *colon = find(at, end, ':');
        if (last && colon == end && find(at, end, '.') != end) {
            if (count > IP6_BYTES - IP4_BYTES || !parse_ip4(at, end, into + count)) return -1;
            return count + IP4_BYTES;
        }
        int32_t value = group(at, colon);
        if (value < 0 || count > IP6_BYTES - 2) return -1;
        into[count++] = (uint8_t)(value >> 8);
        into[count++] = (uint8_t)(value & 0xff);
        if (colon == end) return count;
        at = colon + 1;
    }
    return count;
}

static bool parse_ip6(const char *at, const char *end, uint8_t into[IP6_BYTES])
{
    const char *gap = NULL;
    for (const char *one = at; one + 1 < end && gap == NULL; one++) {
        if (one[0] == ':' && one[1] == ':') gap = one;
    }
    if (gap == NULL) return parse_groups(at, end, true, into) == IP6_BYTES;
    uint8_t tail[IP6_BYTES];
    int head_length = parse_groups(at, gap, false, into);
    int tail_length = parse_groups(gap + 2, end, true, tail);
    // The gap stands for at least one group.
    if (head_length < 0 || tail_length < 0) return false;
    if (head_length + tail_length > IP6_BYTES - 2) return false;
    memset(into + head_length, 0, (size_t)(IP6_BYTES - head_length));
    memcpy(into + IP6_BYTES - tail_length, tail, (size_t)tail_length);
    return true;
}

int32_t ip_parse(struct reply *reply, struct span text, struct ip *into)
{
    const char *end = text.ptr + text.len;
    bool six = find(text.ptr, end, ':') != end;
    *into = (struct ip){.length = six ? IP6_BYTES : IP4_BYTES};
    if (six && parse_ip6(text.ptr, end, into->bytes)) return 0;
    if (!six && parse_ip4(text.ptr, end, into->bytes)) return 0;
    return reply_fail(reply, EINVAL, "not an IP address: %.*s", (int)text.len, text.ptr);
}

int32_t prefix_parse(struct reply *reply, struct span text, struct prefix *into)
{
    const char *end = text.ptr + text.len;
    const char *slash = find(text.ptr, end, '/');
    struct span ip = {text.ptr, (uint32_t)(slash - text.ptr)};
    int32_t status = ip_parse(reply, ip, &into->ip);
    if (status < 0) return status;
    int32_t length = slash == end ? -1 : decimal(slash + 1, end);
    if (length < 0 || length > into->ip.length * 8) {
        return reply_fail(reply, EINVAL, "not an address with a prefix length: %.*s",
            (int)text.len, text.ptr);
    }
    into->family = into->ip.length == IP4_BYTES ? AF_INET : AF_INET6;
    into->length = (uint8_t)length;
    return 0;
}

struct ip prefix_broadcast(const struct prefix *prefix)
{
    struct ip ip = prefix->ip;
    for (int at = 0; at < IP4_BYTES; at++) {
        int bits = prefix->length - at * 8;
        if (bits < 0) bits = 0;
        if (bits < 8) ip.bytes[at] |= (uint8_t)(0xff >> bits);
    }
    return ip;
}

int32_t hardware_parse(struct reply *reply, struct span text, uint8_t into[ETHERNET_BYTES])
{
    bool good = text.len == ETHERNET_BYTES * 3 - 1;
    for (uint32_t at = 0; good && at < ETHERNET_BYTES; at++) {
        const char *pair = text.ptr + (size_t)at * 3;
        int32_t high = hex_digit(pair[0]);
        int32_t low = hex_digit(pair[1]);
        good = high >= 0 && low >= 0 && (at == ETHERNET_BYTES - 1 || pair[2] == ':');
        if (good) into[at] = (uint8_t)(high * 16 + low);
    }
    if (good) return 0;
    return reply_fail(reply, EINVAL, "not a hardware address: %.*s", (int)text.len, text.ptr);
}

/* Printing */

static uint32_t dotted(const uint8_t bytes[IP4_BYTES], char *into, size_t size)
{
    int length = snprintf(into, size, "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
    return (uint32_t)length;
}

/** The longest run of two or more zero groups, the first of equals; its length 0 for none. */
static int zero_run(const uint16_t groups[GROUPS], int *start)
{
    int best = 1;
    int run = 0;
    for (int at = 0; at < GROUPS; at++) {
        run = groups[at] == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            *start = at - run + 1;
        }
    }
    return best > 1 ? best : 0;
}

static uint32_t colons(const uint16_t groups[GROUPS], char *into, size_t size)
{
    int gap = GROUPS;
    int gap_length = zero_run(groups, &gap);
    uint32_t length = 0;
    for (int at = 0; at < GROUPS;) {
        if (gap_length > 0 && at == gap) {
            length += (uint32_t)snprintf(into + length, size - length, "::");
            at += gap_length;
            continue;
        }
        const char *colon = at == 0 || (gap_length > 0 && at == gap + gap_length) ? "" : ":";
        length += (uint32_t)snprintf(into + length, size - length, "%s%x", colon, groups[at]);
        at++;
    }
    return length;
}

uint32_t ip_format(struct view bytes, char into[IP_TEXT_MAX])
{
    into[0] = 0;
    if (view_length(bytes) == IP4_BYTES) return dotted(bytes.at, into, IP_TEXT_MAX);
    if (view_length(bytes) != IP6_BYTES) {
        reply_malformed();
        return 0;
    }
    uint16_t groups[GROUPS];
    bool mapped = true;
    for (int at = 0; at < GROUPS; at++) {
        groups[at] = (uint16_t)(bytes.at[at * 2] << 8 | bytes.at[at * 2 + 1]);
        if (at < 6 && groups[at] != (at == 5 ? 0xffff : 0)) mapped = false;
    }
    if (!mapped) return colons(groups, into, IP_TEXT_MAX);
    // ::ffff:a.b.c.d is written so by every tool.
    int length = snprintf(into, IP_TEXT_MAX, "::ffff:");
    return (uint32_t)length + dotted(bytes.at + 12, into + length, IP_TEXT_MAX - (size_t)length);
}

struct span hardware_format(struct view bytes, char into[HARDWARE_TEXT_MAX])
{
    static const char HEX[] = "0123456789abcdef";
    uint32_t length = view_length(bytes);
    if (length > HARDWARE_TEXT_MAX / 3) {
        reply_malformed();
        length = 0;
    }
    char *at = into;
    for (uint32_t i = 0; i < length; i++) {
        if (i > 0) *at++ = ':';
        *at++ = HEX[bytes.at[i] >> 4];
        *at++ = HEX[bytes.at[i] & 15];
    }
    return (struct span){into, (uint32_t)(at - into)};
}
