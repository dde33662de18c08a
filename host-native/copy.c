/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memcpy and memmove for pieces of a few bytes, which are nearly all that is copied here. They
 * take the place of musl's, whose `rep movsq` takes longer to begin than such a piece takes to
 * copy. They refuse nothing that the C standard allows. Only for x86-64: elsewhere the compiler
 * makes a call of memcpy of a block, and musl's is fine.
 */
#ifdef __x86_64__
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Bytes that are moved at once; the compiler has instructions for such a block. */
struct block {
    uint8_t bytes[16];
};
struct word {
    uint8_t bytes[8];
};
struct half {
    uint8_t bytes[4];
};

#define MOVED(type, to, at) (*(type *)(void *)((to) + (at)))
#define READ(type, from, at) (*(const type *)(const void *)((from) + (at)))

/** At most one block: all of it is read before any is written. */
static void move_little(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size >= sizeof(struct word)) {
        const struct word first = READ(struct word, from, 0);
        const struct word last = READ(struct word, from, size - sizeof first);
        MOVED(struct word, to, 0) = first;
        MOVED(struct word, to, size - sizeof last) = last;
    } else if (size >= sizeof(struct half)) {
        const struct half first = READ(struct half, from, 0);
        const struct half last = READ(struct half, from, size - sizeof first);
        MOVED(struct half, to, 0) = first;
        MOVED(struct half, to, size - sizeof last) = last;
    } else if (size > 0) {
        const uint8_t first = from[0];
        const uint8_t middle = from[size / 2];
        const uint8_t last = from[size - 1];
        to[0] = first;
        to[size / 2] = middle;
        to[size - 1] = last;
    }
}

void *memmove(void *to, const void *from, size_t size)
{
    uint8_t *into = to;
    const uint8_t *out = from;
    if (size <= sizeof(struct block)) {
        move_little(into, out, size);
        return to;
    }
    const struct block first = READ(struct block, out, 0);
    const struct block last = READ(struct block, out, size - sizeof last);
    if ((uintptr_t)into - (uintptr_t)out >= size) {
        for (size_t at = 0; at < size - sizeof last; at += sizeof last) {
            MOVED(struct block, into, at) = READ(struct block, out, at);
        }
        MOVED(struct block, into, size - sizeof last) = last;
    } else {
        // Into what is still to be read: from the end.
        for (size_t at = size; at > sizeof first; at -= sizeof first) {
            MOVED(struct block, into, at - sizeof first) =
                READ(struct block, out, at - sizeof first);
        }
        MOVED(struct block, into, 0) = first;
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    return memmove(to, from, size);
}
#else
/* ISO C wants something in every file. */
typedef int copy_is_that_of_musl;
#endif
