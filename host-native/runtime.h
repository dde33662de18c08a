/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the translated core stands on: its memory, its table of functions, and traps. It takes the
 * place of wasm2c's own runtime, which grows without bound and ends the process when it fails.
 */
#ifndef FAIRLEAD_RUNTIME_H
#define FAIRLEAD_RUNTIME_H

#include <setjmp.h>
#include <stdint.h>

/** The memory of an instance: a wasm_rt_memory_t. */
struct wasm_memory;

char *memory_bytes(const struct wasm_memory *memory);
uint32_t memory_size(const struct wasm_memory *memory);

/**
 * Prepares traps: memory accesses outside an instance's memory and an exhausted stack are signals.
 * Called once, from the frame below which the core runs. Gives 0 or -errno.
 */
int32_t runtime_begin(void);

/** Where a trap leads; armed by sigsetjmp(trap_target, 1), whose value is then a trap's number. */
extern sigjmp_buf trap_target;

/** What a trap's number means, in the words of a JavaScript engine. */
const char *trap_words(int trap);

/** Ends the running instance: a core that panicked, or asked the impossible of its runtime. */
_Noreturn void runtime_trap(void);

#endif
