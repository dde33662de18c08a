/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes what only the relocation at the start writes read-only: pointers to functions and to texts.
 * A loader does that for the programs it loads; this one has none, and musl's start-up code of a
 * static program leaves it out. It refuses to touch anything else.
 */
#include "relro.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/** The program in memory, by the linker. */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

static int32_t protect(uintptr_t at, uint64_t length)
{
    const uintptr_t page_mask = ~((uintptr_t)getauxval(AT_PAGESZ) - 1);
    uintptr_t start = at & page_mask;
    // What shares the last page is written to; the linker ends the part at a page of 4 KiB.
    uintptr_t end = (at + length) & page_mask;
    if (end <= start) return 0;
    return mprotect((void *)start, end - start, PROT_READ) < 0 ? -errno : 0;
}

int32_t relro_begin(void)
{
    const uintptr_t base = (uintptr_t)&__ehdr_start;
    const Elf64_Phdr *headers = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);
    for (uint16_t i = 0; i < __ehdr_start.e_phnum; i++) {
        if (headers[i].p_type != PT_GNU_RELRO) continue;
        return protect(base + headers[i].p_vaddr, headers[i].p_memsz);
    }
    return 0;
}
