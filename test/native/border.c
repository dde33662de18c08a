/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The border of the native host for tests: the generated glue over operations that only say that
 * they were reached, and a memory of one page that AddressSanitizer guards. `call` is generated
 * (border.test.ts).
 *
 * Lines on standard input: `call NAME ARGUMENT…` gives `STATUS REACHED words`, `poke AT HEX`
 * writes into the memory, `grow` makes it a page larger, `peek AT LENGTH` gives its bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "border-test.h"
#include "runtime.h"
#include "core-data.h"
#include "wasm-rt.h"

const uint8_t core_data[] = {0};
const uint32_t core_data_length = 0;
const uint32_t core_template_kind = 0;
const char core_sha256[] = "";
const char program_version[] = "";

enum { PAGE_BYTES = 65536, ARGUMENTS_MAX = 24 };

int reached;

void touch(const char *bytes, uint32_t length)
{
    static volatile char seen;
    for (uint32_t at = 0; at < length; at++) seen = (char)(seen ^ bytes[at]);
}

static wasm_rt_memory_t memory;

static void resize(uint32_t pages)
{
    memory.data = realloc(memory.data, (size_t)pages * PAGE_BYTES);
    if (memory.data == NULL) abort();
    memset(memory.data + memory.size, 0, (size_t)pages * PAGE_BYTES - memory.size);
    memory.pages = pages;
    memory.size = pages * PAGE_BYTES;
}

int main(void)
{
    static struct host host;
    static char line[1024];
    host.memory = (const struct wasm_memory *)&memory;
    resize(1);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *word = strtok(line, " \n");
        if (strcmp(word, "grow") == 0) {
            resize(memory.pages + 1);
        } else if (strcmp(word, "poke") == 0) {
            unsigned long at = strtoul(strtok(NULL, " \n"), NULL, 10);
            const char *hex = strtok(NULL, " \n");
            for (; hex != NULL && hex[0] != 0; hex += 2) {
                const char byte[] = {hex[0], hex[1], 0};
                memory.data[at++] = (uint8_t)strtoul(byte, NULL, 16);
            }
        } else if (strcmp(word, "peek") == 0) {
            unsigned long at = strtoul(strtok(NULL, " \n"), NULL, 10);
            unsigned long length = strtoul(strtok(NULL, " \n"), NULL, 10);
            printf("%.*s\n", (int)length, (const char *)memory.data + at);
        } else {
            const char *name = strtok(NULL, " \n");
            uint32_t arguments[ARGUMENTS_MAX] = {0};
            const char *argument = strtok(NULL, " \n");
            for (int at = 0; argument != NULL; argument = strtok(NULL, " \n")) {
                arguments[at++] = (uint32_t)strtol(argument, NULL, 10);
            }
            reached = 0;
            int32_t status = (int32_t)call(&host, name, arguments);
            uint32_t length;
            const char *shown = reply_shown(&host.reply, &length);
            printf("%d %d %.*s\n", status, reached, (int)length, shown == NULL ? "" : shown);
        }
        fflush(stdout);
    }
    free(memory.data);
    return 0;
}
