/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core that breaks on purpose, in place of the translated one: ADD does what CNI_ARGS says, DEL
 * says that it cleaned up. It is for tests of what the native host makes of traps and panics.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "core-data.h"
#include "wasm-rt.h"

const uint8_t core_data[] = {0};
const uint32_t core_data_length = 0;
const uint32_t core_template_kind = 0;
const char core_sha256[] = "";
const char program_version[] = "";

enum { PAGE_BYTES = 65536, RESULT_AT = 1024, TEXT_AT = 2048, ALLOCATED_AT = 4096 };

static u32 allocated;
static u32 result_length;

void Z_core_init_module(void)
{
}

void Z_core_instantiate(Z_core_instance_t *core, struct Z_host_instance_t *host,
    struct Z_kernel_instance_t *kernel, struct Z_nft_instance_t *nft,
    struct Z_plugin_instance_t *plugin, struct Z_store_instance_t *store)
{
    memset(core, 0, sizeof *core);
    core->Z_host_instance = host;
    core->Z_kernel_instance = kernel;
    core->Z_nft_instance = nft;
    core->Z_plugin_instance = plugin;
    core->Z_store_instance = store;
    wasm_rt_allocate_memory(&core->w2c_memory, 2, 4);
    allocated = ALLOCATED_AT;
    result_length = 0;
}

void Z_core_free(Z_core_instance_t *core)
{
    wasm_rt_free_memory(&core->w2c_memory);
}

wasm_rt_memory_t *Z_coreZ_memory(Z_core_instance_t *core)
{
    return &core->w2c_memory;
}

u32 Z_coreZ_alloc(Z_core_instance_t *core, u32 length)
{
    (void)core;
    u32 at = allocated;
    allocated += length + 1;
    return at;
}

u32 Z_coreZ_result_ptr(Z_core_instance_t *core)
{
    (void)core;
    return RESULT_AT;
}

u32 Z_coreZ_result_len(Z_core_instance_t *core)
{
    (void)core;
    return result_length;
}

static u32 put(Z_core_instance_t *core, u32 at, const char *text)
{
    memcpy(core->w2c_memory.data + at, text, strlen(text));
    return (u32)strlen(text);
}

static void panic(Z_core_instance_t *core)
{
    u32 msg = put(core, TEXT_AT, "index out of range");
    u32 file = put(core, TEXT_AT + 100, "core-as/x.ts");
    Z_hostZ_panic(core->Z_host_instance, TEXT_AT, msg, TEXT_AT + 100, file, 1, 2);
}

/** Takes the lock on /tmp/…, whose folder CNI_PATH names; gives the status. */
static int lock(Z_core_instance_t *core, const char *dir)
{
    u32 length = put(core, TEXT_AT, dir);
    return (int)Z_storeZ_dir_lock(core->Z_store_instance, TEXT_AT, length, 1, 50);
}

static unsigned deeper(unsigned depth)
{
    volatile char frame[4096];
    frame[depth % sizeof frame] = (char)depth;
    return depth == 0 ? 0 : deeper(depth + 1) + (unsigned)frame[0];
}

/** The value of a variable in the environment that the host has put into memory. */
static const char *variable(const char *env, u32 length, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = env; at < env + length; at += strlen(at) + 1) {
        if (strncmp(at, name, size) == 0 && at[size] == '=') return at + size + 1;
    }
    return "";
}

u32 Z_coreZ_run(Z_core_instance_t *core, u32 type, u32 type_length, u32 env, u32 env_length)
{
    (void)type;
    (void)type_length;
    const char *text = (const char *)core->w2c_memory.data + env;
    const char *way = variable(text, env_length, "CNI_ARGS");
    const char *dir = variable(text, env_length, "CNI_PATH");
    u32 length = put(core, TEXT_AT, dir);
    Z_hostZ_confine(core->Z_host_instance, TEXT_AT, length, TEXT_AT, 0, 0);
    if (strcmp(variable(text, env_length, "CNI_COMMAND"), "DEL") == 0) {
        if (strcmp(way, "always") == 0) panic(core);
        char said[128];
        snprintf(said, sizeof said, "cleaned up, lock %s", lock(core, dir) > 0 ? "free" : "held");
        result_length = put(core, RESULT_AT, said);
        return 0;
    }
    if (lock(core, dir) <= 0) abort();
    const volatile unsigned char *memory = core->w2c_memory.data;
    if (strcmp(way, "panic") == 0 || strcmp(way, "always") == 0) panic(core);
    else if (strcmp(way, "bad panic") == 0) {
        Z_hostZ_panic(core->Z_host_instance, 1u << 31, 1u << 31, 0, 0, 1, 2);
        wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
    } else if (strcmp(way, "outside") == 0) result_length = memory[2 * PAGE_BYTES];
    else if (strcmp(way, "far outside") == 0) result_length = memory[0x1fffffffful];
    else if (strcmp(way, "deep") == 0) result_length = deeper(1);
    else if (strcmp(way, "divide") == 0) wasm_rt_trap(WASM_RT_TRAP_DIV_BY_ZERO);
    else if (strcmp(way, "long result") == 0) result_length = 1u << 30;
    else if (strcmp(way, "host bug") == 0) result_length = *(volatile u32 *)(uintptr_t)8;
    else if (strcmp(way, "grow") == 0) {
        // To its limit, and not beyond; all of it is memory then.
        u32 before = wasm_rt_grow_memory(&core->w2c_memory, 2);
        u32 beyond = wasm_rt_grow_memory(&core->w2c_memory, 1);
        core->w2c_memory.data[4 * PAGE_BYTES - 1] = 1;
        if (before == 2 && beyond == UINT32_MAX) result_length = put(core, RESULT_AT, "grown");
    }
    return 0;
}
