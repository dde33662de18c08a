/*
 * The core's data, unpacked at every start (unpack.h): it is quick, and it refuses to read or write
 * beyond what it was given.
 */
#include "unpack.h"

#include <stdbool.h>
#include <string.h>

#include "core-data.h"
#include "runtime.h"

// Every call waits for this.
#pragma GCC optimize("O2")

/** Before a text of the compiler, and what says that it is one. */
#define TEXT_HEADER_BYTES 20u
#define TEXT_KIND 2u
/** What a token counts, and what a repeated piece is at least. */
#define NIBBLE_MAX 15u
#define PIECE_MIN 3u
/** So many bytes are copied at once. */
#define STRIDE_BYTES 16u
/** All that the parts may be. */
#define PARTS_MAX_BYTES (256u * 1024)

struct source {
    const uint8_t *at;
    const uint8_t *end;
};

static inline uint32_t number(struct source *from)
{
    uint32_t value = 0;
    for (unsigned shift = 0; from->at < from->end && shift < 32; shift += 7) {
        value |= (uint32_t)(*from->at & 0x7f) << shift;
        if (*from->at++ < 0x80) break;
    }
    return value;
}

/** What four bits count, with the rest that follows. */
static inline size_t counted(struct source *from, unsigned nibble)
{
    return nibble < NIBBLE_MAX ? nibble : (size_t)NIBBLE_MAX + number(from);
}

/** Copies in strides: up to STRIDE_BYTES more than asked for, which is overwritten later. */
static inline void copy(uint8_t *to, const uint8_t *from,
    size_t count)
{
    size_t done = 0;
    do {
        memcpy(to + done, from + done, STRIDE_BYTES);
        done += STRIDE_BYTES;
    } while (done < count);
}

/** What was squeezed, as the parts: gives how many bytes they are. */
static size_t expand(uint8_t *to, size_t room)
{
    struct source from = {core_data, core_data + core_data_length};
    size_t place = 0;
    while (from.at < from.end) {
        unsigned token = *from.at++;
        size_t count = counted(&from, token >> 4);
        size_t left = (size_t)(from.end - from.at);
        if (count > left || count > room - place) runtime_trap();
        if (left - count >= STRIDE_BYTES) copy(to + place, from.at, count);
        else memcpy(to + place, from.at, count);
        from.at += count;
        place += count;
        if (from.at == from.end) break;
        size_t back = number(&from);
        count = PIECE_MIN + counted(&from, token & NIBBLE_MAX);
        if (back == 0 || back > place || count > room - place) runtime_trap();
        const uint8_t *piece = to + place - back;
        if (back >= STRIDE_BYTES) copy(to + place, piece, count);
        // One by one: it repeats itself.
        else for (size_t i = 0; i < count; i++) to[place + i] = piece[i];
        place += count;
    }
    return place;
}

/** Bytes with a zero behind each (little endian). */
__attribute__((optimize("O3"))) static void widen(uint8_t *to, const uint8_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t wide = from[i];
        memcpy(to + 2 * i, &wide, sizeof wide);
    }
}

/** A text of the compiler (core-data.h), at `to`: how much memory it takes. */
static size_t put_text(uint8_t *to, size_t room, const uint8_t *from, size_t count)
{
    uint32_t size = 2 * (uint32_t)count;
    uint32_t block = ((TEXT_HEADER_BYTES + size + 15) & ~15u) - 4;
    const uint32_t header[] = {block, 0, 0, TEXT_KIND, size};
    if (4 + (size_t)block > room) runtime_trap();
    memcpy(to, header, sizeof header);
    widen(to + sizeof header, from, count);
    return 4 + (size_t)block;
}

void unpack(uint8_t *memory, size_t size)
{
    static uint8_t parts[PARTS_MAX_BYTES + STRIDE_BYTES];
    if (core_parts_length > PARTS_MAX_BYTES) runtime_trap();
    struct source from = {parts, parts + expand(parts, core_parts_length)};
    size_t place = 0;
    while (from.at < from.end) {
        uint32_t head = number(&from);
        uint32_t kind = head & 3;
        size_t count = head >> 2;
        size_t room = size - place;
        size_t taken = kind == 2 ? 2 * count : count;
        if (taken > room || (kind != 0 && count > (size_t)(from.end - from.at))) runtime_trap();
        if (kind == 1) memcpy(memory + place, from.at, count);
        else if (kind == 2) widen(memory + place, from.at, count);
        else if (kind == 3) taken = put_text(memory + place, room, from.at, count);
        from.at += kind == 0 ? 0 : count;
        place += taken;
    }
}
