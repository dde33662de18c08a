/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.c under another name, asked at random: each block is filled, and looked at when it grows,
 * shrinks and goes. Prints what is wrong, and what was done.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define malloc heap_malloc
#define calloc heap_calloc
#define realloc heap_realloc
#define free heap_free
void *heap_malloc(size_t size);
void *heap_calloc(size_t count, size_t size);
void *heap_realloc(void *given, size_t size);
void heap_free(void *given);
#include "../../host-native/heap.c"
#undef malloc
#undef calloc
#undef realloc
#undef free

#define SLOTS 48
#define TURNS 200000

struct slot {
    unsigned char *bytes;
    size_t size;
    unsigned char seed;
};

static struct slot slots[SLOTS];
static uint64_t dice;
static unsigned wrong;

static uint32_t roll(uint32_t sides)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice >> 33) % sides;
}

/** Mostly small, now and then beyond the arena. */
static size_t some_size(void)
{
    uint32_t kind = roll(100);
    return kind < 80 ? roll(300) : kind < 97 ? roll(9000) : roll(200000);
}

static void fill(struct slot *slot)
{
    slot->seed = (unsigned char)roll(256);
    for (size_t i = 0; i < slot->size; i++) slot->bytes[i] = (unsigned char)(slot->seed + i);
}

static void look(const char *when, const unsigned char *bytes, size_t size, unsigned char seed)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == (unsigned char)(seed + i)) continue;
        wrong++;
        printf("%s: byte %zu of %zu is another\n", when, i, size);
        return;
    }
}

static void check(bool good, const char *what)
{
    if (good) return;
    wrong++;
    printf("%s\n", what);
}

static void turn(struct slot *slot)
{
    look("before", slot->bytes, slot->size, slot->seed);
    uint32_t what = roll(4);
    size_t size = some_size();
    if (what == 0) {
        heap_free(slot->bytes);
        slot->bytes = NULL;
        slot->size = 0;
        return;
    }
    size_t kept = 0;
    if (what == 1) {
        heap_free(slot->bytes);
        slot->bytes = heap_malloc(size);
    } else if (what == 2) {
        heap_free(slot->bytes);
        slot->bytes = heap_calloc(size, 1);
        for (size_t i = 0; i < size; i++) check(slot->bytes[i] == 0, "calloc gives no zeros");
    } else {
        kept = slot->size < size ? slot->size : size;
        slot->bytes = heap_realloc(slot->bytes, size);
    }
    check(slot->bytes != NULL && (uintptr_t)slot->bytes % 16 == 0, "no block, or not aligned");
    look("moved", slot->bytes, kept, slot->seed);
    slot->size = size;
    fill(slot);
}

int main(int argc, char **argv)
{
    dice = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    for (unsigned i = 0; i < TURNS && wrong < 20; i++) turn(&slots[roll(SLOTS)]);
    for (unsigned i = 0; i < SLOTS; i++) {
        look("at the end", slots[i].bytes, slots[i].size, slots[i].seed);
    }
    errno = 0;
    check(heap_malloc(SIZE_MAX) == NULL && errno == ENOMEM, "there is no room for all memory");
    errno = 0;
    check(heap_calloc(SIZE_MAX / 2, 4) == NULL && errno == ENOMEM, "a product that is too large");
    void *kept = heap_malloc(10);
    check(heap_realloc(kept, SIZE_MAX / 2) == NULL, "a block grew to all memory");
    memset(kept, 1, 10);
    printf("%d turns, %u wrong\n", TURNS, wrong);
    return 0;
}
