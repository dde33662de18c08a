/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime of the translated core (runtime.h): implements wasm-rt.h of wabt 1.0.32 as far as the
 * core needs it. An instance's memory is reserved whole, 8 GiB of addresses that cost nothing: no
 * address that the translated code can form leads elsewhere, so it needs no check of its own, and
 * one beyond the pages in use is a signal here.
 */
#include "runtime.h"

#include <errno.h>
#include <linux/mman.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "unpack.h"
#include "wasm-rt.h"

#define PAGE_BYTES 65536u
/** What nearly every call fills of the pages that it asks for first, beyond the core's data. */
#define POPULATED_BYTES PAGE_BYTES
/** A 32-bit address and a 32-bit offset, and what is read there. */
#define RESERVED_BYTES ((2ull << 32) + PAGE_BYTES)
/** Beside wasm_rt_trap_t. */
#define TRAP_NO_MEMORY 100
#define TYPES_MAX 64
#define TYPE_PARAMS_MAX 24
#define TABLE_MAX 4096
/** Below the stack's own limit: what one frame may skip. */
#define STACK_SLACK_BYTES (1u << 20)

sigjmp_buf trap_target;

/** The reserved range of the instance that runs. */
static char *reserved;
/** Whether it asked for more than it had to begin with. */
static bool grown;
/** Where the stack is when the core starts, and how far it may go. */
static uintptr_t stack_top;
static uintptr_t stack_bytes;

char *memory_bytes(const struct wasm_memory *memory)
{
    return (char *)((const wasm_rt_memory_t *)memory)->data;
}

uint32_t memory_size(const struct wasm_memory *memory)
{
    return ((const wasm_rt_memory_t *)memory)->size;
}

void wasm_rt_trap(wasm_rt_trap_t trap)
{
    siglongjmp(trap_target, (int)trap);
}

void runtime_trap(void)
{
    wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}

const char *trap_words(int trap)
{
    switch (trap) {
    case WASM_RT_TRAP_OOB:
        return "memory access out of bounds";
    case WASM_RT_TRAP_INT_OVERFLOW:
        return "divide result unrepresentable";
    case WASM_RT_TRAP_DIV_BY_ZERO:
        return "divide by zero";
    case WASM_RT_TRAP_INVALID_CONVERSION:
        return "float unrepresentable in integer range";
    case WASM_RT_TRAP_CALL_INDIRECT:
        return "table index is out of bounds";
    case WASM_RT_TRAP_EXHAUSTION:
        return "Maximum call stack size exceeded";
    case TRAP_NO_MEMORY:
        return "no memory for the core: 8 GiB of address space (ulimit -v) are reserved";
    default:
        return "unreachable";
    }
}

/** A fault of the core is a trap; any other is a bug of this host, and ends it as it should. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    uintptr_t at = (uintptr_t)info->si_addr;
    uintptr_t start = (uintptr_t)reserved;
    if (reserved != NULL && at >= start && at - start < RESERVED_BYTES) {
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    }
    if (at < stack_top && stack_top - at < stack_bytes + STACK_SLACK_BYTES) {
        wasm_rt_trap(WASM_RT_TRAP_EXHAUSTION);
    }
    signal(number, SIG_DFL);
}

int32_t runtime_begin(void)
{
    static char stack[16384];
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0) return -errno;
    stack_top = (uintptr_t)__builtin_frame_address(0);
    stack_bytes = limit.rlim_cur == RLIM_INFINITY ? UINTPTR_MAX / 4 : (uintptr_t)limit.rlim_cur;
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    if (sigaltstack(&other, NULL) != 0) return -errno;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    if (sigaction(SIGSEGV, &action, NULL) != 0) return -errno;
    if (sigaction(SIGBUS, &action, NULL) != 0) return -errno;
    return 0;
}

bool wasm_rt_is_initialized(void)
{
    return stack_top != 0;
}

/** Makes `bytes` from `from` usable; the first `filled` of them are about to be written to. */
static bool use(uint8_t *from, size_t bytes, size_t filled)
{
    if (bytes == 0) return true;
    if (mprotect(from, bytes, PROT_READ | PROT_WRITE) != 0) return false;
    // At once is cheaper than a fault per page. A kernel older than 5.14 does not know it.
    if (filled > 0) madvise(from, filled, MADV_POPULATE_WRITE);
    return true;
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t max_pages)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *at = mmap(NULL, RESERVED_BYTES, PROT_NONE, flags, -1, 0);
    const size_t bytes = (size_t)pages * PAGE_BYTES;
    if (at == MAP_FAILED || !use(at, bytes, bytes)) {
        siglongjmp(trap_target, TRAP_NO_MEMORY);
    }
    reserved = at;
    grown = false;
    memory->data = at;
    memory->pages = pages;
    memory->max_pages = max_pages;
    memory->size = pages * PAGE_BYTES;
    unpack(at, memory->size);
}

uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t delta)
{
    uint32_t before = memory->pages;
    // A size of 2^32 has no place in 32 bits: 65535 pages is the most.
    uint32_t limit = memory->max_pages < UINT16_MAX ? memory->max_pages : UINT16_MAX;
    if (delta > limit - before) return UINT32_MAX;
    const size_t bytes = (size_t)delta * PAGE_BYTES;
    // The first that it asks for is used by every call, more by few.
    const size_t filled = grown || bytes < POPULATED_BYTES ? 0 : POPULATED_BYTES;
    if (!use(memory->data + memory->size, bytes, filled)) return UINT32_MAX;
    grown = true;
    memory->pages = before + delta;
    memory->size = memory->pages * PAGE_BYTES;
    return before;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory)
{
    munmap(memory->data, RESERVED_BYTES);
    reserved = NULL;
    memory->data = NULL;
    memory->size = 0;
}

/** A type of functions: parameters, then results. */
struct type {
    uint32_t params;
    uint32_t results;
    wasm_rt_type_t values[TYPE_PARAMS_MAX];
};

uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...)
{
    static struct type types[TYPES_MAX];
    static uint32_t count;
    if (count == TYPES_MAX || params + results > TYPE_PARAMS_MAX) runtime_trap();
    struct type *type = &types[count];
    type->params = params;
    type->results = results;
    va_list values;
    va_start(values, results);
    for (uint32_t i = 0; i < params + results; i++) {
        type->values[i] = va_arg(values, wasm_rt_type_t);
    }
    va_end(values);
    for (uint32_t i = 0; i < count; i++) {
        if (memcmp(&types[i], type, sizeof *type) == 0) return i + 1;
    }
    return ++count;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t size, uint32_t max)
{
    static wasm_rt_funcref_t functions[TABLE_MAX];
    if (size > TABLE_MAX) runtime_trap();
    // No more than that: each page of it that is written to is a fault.
    memset(functions, 0, size * sizeof functions[0]);
    table->data = functions;
    table->size = size;
    table->max_size = max;
}

void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table)
{
    table->data = NULL;
    table->size = 0;
}
