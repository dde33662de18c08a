/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc and its kin for a process that serves one command: blocks of a small arena, one behind the
 * other, and beyond it pages of their own. They take the place of the C library's, which serves
 * threads and long lives with 8 KB of code. Freed memory of the arena is used again only at its
 * end, and by realloc. It refuses nothing that the C standard allows; it is not for threads.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/mman.h>

#define ALIGN 16u
#define ARENA_BYTES (64u * 1024)
/** What a call uses of it at least: at once it is cheaper than a fault per page. */
#define READY_BYTES (48u * 1024)
#define PAGE_BYTES 4096u
/** More than that is no object (PTRDIFF_MAX), and leaves room for what is added here. */
#define BLOCK_MAX (SIZE_MAX / 4)

/** Stands before each block. */
struct block {
    /** Of what follows, a multiple of ALIGN. */
    size_t size;
    size_t unused;
};

_Static_assert(sizeof(struct block) == ALIGN, "what follows a header is aligned");

static _Alignas(PAGE_BYTES) unsigned char arena[ARENA_BYTES];
static size_t used;

static struct block *block_of(void *given)
{
    return (struct block *)given - 1;
}

static bool in_arena(const struct block *block)
{
    uintptr_t at = (uintptr_t)block;
    return at >= (uintptr_t)arena && at < (uintptr_t)arena + sizeof arena;
}

/** Whether nothing of the arena lies behind it. */
static bool is_last(const struct block *block)
{
    return in_arena(block) && (const unsigned char *)(block + 1) + block->size == arena + used;
}

static size_t rounded(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/** Not malloc itself: of that and a memset the compiler would make a call of calloc. */
static void *allocate(size_t size)
{
    if (size > BLOCK_MAX) return no_memory();
    size = rounded(size);
    struct block *block;
    // A kernel older than 5.14 does not know it.
    if (used == 0) madvise(arena, READY_BYTES, MADV_POPULATE_WRITE);
    if (size + sizeof *block <= sizeof arena - used) {
        block = (struct block *)(void *)(arena + used);
        used += size + sizeof *block;
    } else {
        block = mmap(NULL, size + sizeof *block, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return no_memory();
    }
    block->size = size;
    return block + 1;
}

void *malloc(size_t size)
{
    return allocate(size);
}

void free(void *given)
{
    if (given == NULL) return;
    struct block *block = block_of(given);
    int error = errno;
    if (is_last(block)) used -= block->size + sizeof *block;
    else if (!in_arena(block)) munmap(block, block->size + sizeof *block);
    errno = error;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return no_memory();
    void *given = allocate(bytes);
    // Pages of its own are zeros.
    if (given != NULL && in_arena(block_of(given))) memset(given, 0, bytes);
    return given;
}

void *realloc(void *given, size_t size)
{
    if (given == NULL) return allocate(size);
    if (size > BLOCK_MAX) return no_memory();
    struct block *block = block_of(given);
    size_t wanted = rounded(size);
    if (!in_arena(block)) {
        block = mremap(block, block->size + sizeof *block, wanted + sizeof *block, MREMAP_MAYMOVE);
        if (block == MAP_FAILED) return no_memory();
        block->size = wanted;
        return block + 1;
    }
    if (wanted <= block->size) return given;
    if (is_last(block) && wanted - block->size <= sizeof arena - used) {
        used += wanted - block->size;
        block->size = wanted;
        return given;
    }
    void *other = allocate(size);
    if (other == NULL) return NULL;
    memcpy(other, given, block->size);
    free(given);
    return other;
}
