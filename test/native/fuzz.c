/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzing of what the native host reads: replies of the kernel and files. Replies are real ones,
 * asked of the namespace that this runs in and then changed at random between the kernel and the
 * parser; files have random bytes or changed leases. What an operation then gives must be an errno
 * or well-formed JSON; a sanitizer sees the rest. It refuses to judge what the JSON says.
 *
 *     fuzz SEED ROUNDS FOLDER
 *
 * Round N depends on SEED + N alone, and is named when it fails: `fuzz SEED+N 1 FOLDER` is it
 * again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi.gen.h"
#include "text.h"

enum {
    SEEDS_MAX = 256,
    DATAGRAM_MAX_BYTES = 1 << 17,
    LINKS = 6,
    CHANGES_MAX = 8,
    FILES = 3,
    FILE_MAX_BYTES = 6000,
};

static struct host host;
static uint64_t random_state;
static unsigned long long round_now;

/* Chance */

static uint64_t chance(void)
{
    // splitmix64
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(size_t bound)
{
    return bound == 0 ? 0 : (size_t)(chance() % bound);
}

static void tell_round(void)
{
    fprintf(stderr, "fuzz: it was round %llu\n", round_now);
}

static void fail(const char *what, const char *shown, uint32_t length)
{
    fprintf(stderr, "fuzz: %s: %.*s\n", what, (int)length, shown);
    tell_round();
    exit(1);
}

/* The kernel's side */

static struct {
    unsigned char *bytes;
    size_t length;
} seeds[SEEDS_MAX];
static size_t seed_count;
/** Whether replies are the kernel's own, noted as seeds. */
static bool recording = true;
/** The number of the request that waits for a reply. */
static uint32_t asked;
/** Datagrams that still come for it. */
static size_t left;

ssize_t __real_send(int fd, const void *bytes, size_t length, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t length, int flags);
ssize_t __real_recvfrom(int fd, void *into, size_t size, int flags, struct sockaddr *from,
    socklen_t *from_length);
ssize_t __wrap_recvfrom(int fd, void *into, size_t size, int flags, struct sockaddr *from,
    socklen_t *from_length);

ssize_t __wrap_send(int fd, const void *bytes, size_t length, int flags)
{
    if (recording) return __real_send(fd, bytes, length, flags);
    memcpy(&asked, (const char *)bytes + 8, sizeof asked);
    left = 1 + below(4);
    return (ssize_t)length;
}

/** A real reply with some of it changed; mostly it says that it answers what was asked. */
static size_t changed(unsigned char *into, size_t size)
{
    size_t which = below(seed_count);
    size_t length = seeds[which].length < size ? seeds[which].length : size;
    memcpy(into, seeds[which].bytes, length);
    if (length >= 12 && below(8) != 0) {
        // Every message of the datagram.
        for (size_t at = 0; at + 16 <= length;) {
            uint32_t step;
            memcpy(&step, into + at, sizeof step);
            memcpy(into + at + 8, &asked, sizeof asked);
            if (step < 16) break;
            at += (step + 3) & ~(size_t)3;
        }
    }
    for (size_t count = below(CHANGES_MAX); count > 0 && length > 0; count--) {
        size_t at = below(length);
        switch (below(5)) {
        case 0:
            into[at] = (unsigned char)chance();
            break;
        case 1:
            into[at] ^= (unsigned char)(1u << below(8));
            break;
        case 2:
            length = at;
            break;
        case 3: {
            // A length or a type, which is where the trouble lies.
            static const uint16_t odd[] = {0, 1, 3, 4, 5, 8, 15, 16, 0x7fff, 0xffff};
            uint16_t value = odd[below(sizeof odd / sizeof *odd)];
            if ((at & ~(size_t)1) + 2 <= length) memcpy(into + (at & ~(size_t)1), &value, 2);
            break;
        }
        default: {
            size_t from = below(length);
            size_t count_bytes = below(length - (at > from ? at : from));
            memmove(into + at, into + from, count_bytes);
        }
        }
    }
    return length;
}

ssize_t __wrap_recvfrom(int fd, void *into, size_t size, int flags, struct sockaddr *from,
    socklen_t *from_length)
{
    if (recording) {
        ssize_t length = __real_recvfrom(fd, into, size, flags, from, from_length);
        if (length <= 0 || seed_count == SEEDS_MAX) return length;
        seeds[seed_count].bytes = malloc((size_t)length);
        if (seeds[seed_count].bytes == NULL) abort();
        memcpy(seeds[seed_count].bytes, into, (size_t)length);
        seeds[seed_count++].length = (size_t)length;
        return length;
    }
    memset(from, 0, *from_length);
    if (left == 0) {
        errno = EAGAIN;
        return -1;
    }
    left--;
    return (ssize_t)changed(into, size < DATAGRAM_MAX_BYTES ? size : DATAGRAM_MAX_BYTES);
}

/* What comes of it */

/** The end of the JSON value that starts at `at`; NULL when it is none. */
static const char *value_end(const char *at, const char *end, int depth);

static const char *string_end(const char *at, const char *end)
{
    if (at == end || *at++ != '"') return NULL;
    while (at < end && *at != '"') {
        if ((unsigned char)*at < 0x20) return NULL;
        if (*at++ != '\\') continue;
        if (at == end) return NULL;
        if (*at == 'u') at += end - at < 5 ? 0 : 4;
        at++;
    }
    return at < end ? at + 1 : NULL;
}

static const char *members_end(const char *at, const char *end, int depth, bool named)
{
    char close = named ? '}' : ']';
    if (at < end && *at == close) return at + 1;
    for (;;) {
        if (named) {
            at = string_end(at, end);
            if (at == NULL || at == end || *at++ != ':') return NULL;
        }
        at = value_end(at, end, depth + 1);
        if (at == NULL || at == end) return NULL;
        if (*at == close) return at + 1;
        if (*at++ != ',') return NULL;
    }
}

static const char *value_end(const char *at, const char *end, int depth)
{
    if (at == end || depth > 8) return NULL;
    if (*at == '{' || *at == '[') return members_end(at + 1, end, depth, *at == '{');
    if (*at == '"') return string_end(at, end);
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - at) >= length && memcmp(at, words[i], length) == 0) return at + length;
    }
    const char *digits = at + (*at == '-');
    const char *stop = digits;
    while (stop < end && *stop >= '0' && *stop <= '9') stop++;
    return stop > digits ? stop : NULL;
}

/** An errno, or JSON and nothing behind it. */
static void judge(const char *name, int32_t status, bool json)
{
    uint32_t length;
    const char *shown = reply_shown(&host.reply, &length);
    if (status < -4095) fail("not an errno", name, (uint32_t)strlen(name));
    if (status < 0 || !json) return;
    if (!utf8_valid(shown, length)) fail(name, shown, length);
    if (value_end(shown, shown + length, 0) != shown + length) fail(name, shown, length);
}

#define SPAN(text) ((struct span){text, sizeof text - 1})
#define JSON(call) (reply_begin(&host.reply), judge(#call, call, true))
#define PLAIN(call) (reply_begin(&host.reply), judge(#call, call, false))

/** Every operation that reads what the kernel says. */
static void ask_kernel(void)
{
    static const struct span table = {"fuzzed", 6};
    for (int32_t ifindex = 1; ifindex <= LINKS; ifindex++) {
        JSON(kernel_link_get_index(&host, 0, ifindex));
        JSON(kernel_bridge_port_list(&host, 0, ifindex));
        JSON(kernel_bridge_vlan_list(&host, 0, ifindex));
        JSON(kernel_addr_list(&host, 0, ifindex));
        JSON(kernel_route_list(&host, 0, ifindex));
    }
    JSON(kernel_link_get(&host, 0, SPAN("lo")));
    JSON(kernel_link_get(&host, 0, SPAN("nobody")));
    JSON(kernel_route_get(&host, 0, SPAN("10.9.0.7")));
    JSON(kernel_route_get(&host, 0, SPAN("fd09::7")));
    PLAIN(kernel_link_set_up(&host, 0, 1));
    JSON(nft_rule_list(&host, 0, 1, table));
    JSON(nft_generation(&host, 0));
    JSON(nft_element_list(&host, 0, 1, table, SPAN("words")));
    JSON(nft_element_list(&host, 0, 1, table, SPAN("ways")));
    JSON(nft_element_get(&host, 0, 1, table, SPAN("words"), SPAN("\x0a\x09\x00\x01")));
}

/** Every operation that reads files. */
static void ask_store(struct span folder, struct span first)
{
    JSON(store_dir_list(&host, folder));
    JSON(store_file_list(&host, folder));
    PLAIN(store_file_read(&host, first, (int32_t)below(FILE_MAX_BYTES)));
    PLAIN(store_file_before_boot(&host, first));
    PLAIN(store_file_mtime(&host, first));
}

static void write_files(const char *folder)
{
    static char bytes[FILE_MAX_BYTES];
    for (int file = 0; file < FILES; file++) {
        size_t length = below(8) == 0 ? below(sizeof bytes) : below(32);
        for (size_t at = 0; at < length; at++) bytes[at] = (char)chance();
        if (below(2) == 0 && length >= 9) memcpy(bytes + below(length - 8), "c1\r\neth0", 8);
        char path[4096];
        snprintf(path, sizeof path, "%s/10.9.0.%d", folder, file);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, bytes, length) < 0) fail("no file", path, (uint32_t)strlen(path));
        close(fd);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    unsigned long long first = strtoull(argv[1], NULL, 10);
    unsigned long long rounds = strtoull(argv[2], NULL, 10);
    char path[4096];
    snprintf(path, sizeof path, "%s/10.9.0.0", argv[3]);
    struct span folder = {argv[3], (uint32_t)strlen(argv[3])};
    struct span file = {path, (uint32_t)strlen(path)};
    __sanitizer_set_death_callback(tell_round);
    ask_kernel();
    recording = false;
    for (round_now = first; round_now < first + rounds; round_now++) {
        random_state = round_now;
        ask_kernel();
        if (below(4) != 0) continue;
        write_files(argv[3]);
        ask_store(folder, file);
    }
    printf("%zu replies\n", seed_count);
    return 0;
}
