// SPDX-License-Identifier: Apache-2.0
// A small host in C without any WebAssembly runtime: the WASI command, translated by wasm2c, with
// the three functions of WASI that it imports. A request in JSON on standard input, the answer on
// standard output; docs/embedding.md has both. It gives the command no files, no clock and no
// environment.
//
// The names are those that wasm2c of wabt 1.0.32 gives (Debian 12).
//
//   wasm2c -n fairlead -o fairlead.c fairlead-core.wasi.wasm
//   cc -O1 -I. -I/usr/src/wasm2c host.c fairlead.c /usr/src/wasm2c/wasm-rt-impl.c -lm -o host
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fairlead.h"

/** Errnos of WASI (preview 1). */
enum { WASI_SUCCESS = 0, WASI_BADF = 8, WASI_FAULT = 21, WASI_IO = 29 };

/** What the imports are given: the instance, whose memory they read and write. */
typedef struct Z_wasi_snapshot_preview1_instance_t {
  Z_fairlead_instance_t* command;
} wasi_t;

/** A place in the memory of the command; NULL when it lies outside. */
static uint8_t* at(wasi_t* wasi, uint32_t ptr, uint32_t length)
{
  wasm_rt_memory_t* memory = Z_fairleadZ_memory(wasi->command);
  if ((uint64_t)ptr + length > memory->size) return NULL;
  return memory->data + ptr;
}

static uint32_t word(const uint8_t* bytes)
{
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

/** read(2) or write(2) of each part of a list of pointers and lengths. */
static uint32_t transfer(wasi_t* wasi, int fd, uint32_t list, uint32_t count, uint32_t done_at,
                         int writes)
{
  uint8_t* done = at(wasi, done_at, 4);
  uint32_t total = 0;
  if (!done) return WASI_FAULT;
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t* part = at(wasi, list + i * 8, 8);
    if (!part) return WASI_FAULT;
    uint32_t length = word(part + 4);
    uint8_t* bytes = at(wasi, word(part), length);
    if (!bytes) return WASI_FAULT;
    ssize_t moved;
    do moved = writes ? write(fd, bytes, length) : read(fd, bytes, length);
    while (moved < 0 && errno == EINTR);
    if (moved < 0) return WASI_IO;
    total += (uint32_t)moved;
    if ((uint32_t)moved < length) break;
  }
  memcpy(done, &total, sizeof total);
  return WASI_SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_read(wasi_t* wasi, u32 fd, u32 list, u32 count, u32 done_at)
{
  return fd == 0 ? transfer(wasi, 0, list, count, done_at, 0) : WASI_BADF;
}

u32 Z_wasi_snapshot_preview1Z_fd_write(wasi_t* wasi, u32 fd, u32 list, u32 count, u32 done_at)
{
  return fd == 1 || fd == 2 ? transfer(wasi, (int)fd, list, count, done_at, 1) : WASI_BADF;
}

void Z_wasi_snapshot_preview1Z_proc_exit(wasi_t* wasi, u32 code)
{
  (void)wasi;
  exit((int)code);
}

int main(void)
{
  Z_fairlead_instance_t command;
  wasi_t wasi = {&command};
  wasm_rt_init();
  Z_fairlead_init_module();
  Z_fairlead_instantiate(&command, &wasi);
  Z_fairleadZ__start(&command);
  Z_fairlead_free(&command);
  wasm_rt_free();
  return 0;
}
