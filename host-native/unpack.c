/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's data, unpacked at every start (unpack.h): it is quick, and it refuses to read or write
 * beyond what it was given.
 */
#include "unpack.h"

#include <string.h>

#include "core-data.h"
#include "runtime.h"

enum part { ZEROS, BYTES, TEMPLATE, TEXT };

// Every call begins with this: it is one of the few things here that are worth their size.
#pragma GCC optimize("O2")

#define HEADER_BYTES 20u
#define TEXT_KIND 2u
#define TEMPLATE_MARK 3u
#define BLOCK_BYTES 16u

struct source {
    const uint8_t *at;
    const uint8_t *end;
};

static uint32_t number(struct source *from)
{
    uint32_t value = 0;
    for (unsigned shift = 0; from->at < from->end && shift < 32; shift += 7) {
        value |= (uint32_t)(*from->at & 0x7f) << shift;
        if (*from->at++ < 0x80) break;
    }
    return value;
}

/** Puts what stands before an object: gives how long its block is, with its own size. */
static size_t put_header(uint8_t *to, size_t room, uint32_t mark, uint32_t kind, uint32_t size)
{
    uint32_t block = ((HEADER_BYTES + size + BLOCK_BYTES - 1) & ~(BLOCK_BYTES - 1)) - 4;
    const uint32_t header[] = {block, mark, 0, kind, size};
    if (4 + (size_t)block > room) runtime_trap();
    memcpy(to, header, sizeof header);
    return 4 + (size_t)block;
}

/** Bytes with a zero behind each (little endian). Every call does this for most of the data. */
__attribute__((optimize("O3"))) static void widen(uint8_t *to, const uint8_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t wide = from[i];
        memcpy(to + 2 * i, &wide, sizeof wide);
    }
}

/** Every second word; `last` is the one before. */
static void put_words(uint8_t *to, struct source *from, uint32_t count, uint32_t *last)
{
    for (uint32_t i = 0; i < count; i += 2) {
        uint32_t distance = number(from);
        if (distance == 0) continue;
        uint32_t blocks = distance >> 1;
        *last += BLOCK_BYTES * ((distance & 1) != 0 ? blocks : 0 - blocks);
        memcpy(to + 4 * (size_t)i, last, sizeof *last);
    }
}

void unpack(uint8_t *memory, size_t size)
{
    struct source from = {core_data, core_data + core_data_length};
    uint32_t last = 0;
    size_t place = 0;
    while (from.at < from.end) {
        uint32_t head = number(&from);
        enum part part = head & 3;
        uint32_t count = head >> 2;
        size_t room = size - place;
        size_t taken = count;
        uint8_t *to = memory + place;
        if (count > room || (part != ZEROS && count > (part == TEMPLATE ? 2 : 1) *
                (size_t)(from.end - from.at))) runtime_trap();
        if (part == BYTES) {
            memcpy(to, from.at, count);
        } else if (part == TEXT) {
            taken = put_header(to, room, 0, TEXT_KIND, 2 * count);
            widen(to + HEADER_BYTES, from.at, count);
        } else if (part == TEMPLATE) {
            taken = put_header(to, room, TEMPLATE_MARK, core_template_kind, 4 * count);
            put_words(to + HEADER_BYTES, &from, count, &last);
        }
        if (part == BYTES || part == TEXT) from.at += count;
        place += taken;
    }
}
