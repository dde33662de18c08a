/* SPDX-License-Identifier: Apache-2.0 */
/* One command in an instance of its own, and the answer when it breaks (serve.h). */
#include "serve.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abi.gen.h"
#include "core.h"
#include "io.h"
#include "runtime.h"
#include "lock.h"
#include "tape.h"

static const char COMMAND[] = "CNI_COMMAND=";
static const char BROKEN[] = "CNI_COMMAND=" BROKEN_COMMAND;
static const char CLEANUP[] = "CNI_COMMAND=" BROKEN_CLEANUP;

static Z_core_instance_t core;
/** Not a variable of the frame that sigsetjmp returns to: such may be lost. */
static bool instantiated;

/** Copies bytes into the core's memory and gives where they are. */
static u32 put(struct host *host, const char *bytes, uint32_t length)
{
    u32 at = Z_coreZ_alloc(&core, length);
    if ((uint64_t)at + length > memory_size(host->memory)) runtime_trap();
    if (length > 0) memcpy(memory_bytes(host->memory) + at, bytes, length);
    return at;
}

static void instantiate(struct host *host)
{
    void *instance = host;
    Z_core_init_module();
    instantiated = true;
    Z_core_instantiate(&core, instance, instance, instance, instance, instance);
    host->memory = (const struct wasm_memory *)Z_coreZ_memory(&core);
}

static void discard(struct host *host)
{
    if (instantiated) Z_core_free(&core);
    instantiated = false;
    host->memory = NULL;
    memset(&core, 0, sizeof core);
}

/**
 * One call of the core: gives its exit code, or -1 when it broke and `place` says where. The
 * instance is spent afterwards; that of the answer ends with the process.
 */
static int run(struct host *host, const char *type, const struct buffer *env,
    struct buffer *answer, const char **place)
{
    host->panic[0] = 0;
    int trap = sigsetjmp(trap_target, 1);
    if (trap != 0) {
        *place = host->panic[0] != 0 ? host->panic : trap_words(trap);
        discard(host);
        // Its locks would keep the cleaning up waiting.
        lock_release_all();
        return -1;
    }
    instantiate(host);
    uint32_t type_length = (uint32_t)strlen(type);
    u32 type_at = put(host, type, type_length);
    u32 env_at = put(host, env->bytes, env->length);
    u32 exit_code = Z_coreZ_run(&core, type_at, type_length, env_at, env->length);
    u32 result = Z_coreZ_result_ptr(&core);
    u32 length = Z_coreZ_result_len(&core);
    if ((uint64_t)result + length > memory_size(host->memory)) runtime_trap();
    buffer_append(answer, memory_bytes(host->memory) + result, length);
    return (int)exit_code;
}

_Static_assert(sizeof CLEANUP <= sizeof BROKEN, "one takes the place of the other");

/** Whether the command may have made something; then it is the one that takes it away. */
static bool turn_back(const struct buffer *env)
{
    for (uint32_t at = 0; at < env->length;) {
        char *entry = env->bytes + at;
        if (strcmp(entry, BROKEN) == 0) {
            memcpy(entry, CLEANUP, sizeof CLEANUP);
            return true;
        }
        if (strncmp(entry, COMMAND, sizeof COMMAND - 1) == 0) return false;
        at += (uint32_t)strlen(entry) + 1;
    }
    return false;
}

/** CNI error 999; `cleanup` is what the DEL said, if there was one. */
static int internal_error(struct host *host, struct buffer *answer, const char *details)
{
    struct reply *reply = &host->reply;
    reply_begin(reply);
    reply_json_text(reply, details);
    uint32_t length;
    const char *json = reply_shown(reply, &length);
    buffer_clear(answer);
    buffer_append(answer, BROKEN_BEGIN, sizeof BROKEN_BEGIN - 1);
    buffer_append(answer, json, length);
    buffer_append(answer, BROKEN_END, sizeof BROKEN_END - 1);
    return 1;
}

int serve(struct host *host, const char *type, const struct buffer *env, struct buffer *answer)
{
    const char *place = "";
    int exit_code = run(host, type, env, answer, &place);
    if (exit_code >= 0) return exit_code;
    static char details[8192];
    size_t length = (size_t)snprintf(details, sizeof details, "%s", place);
    if (!turn_back(env)) return internal_error(host, answer, details);
    buffer_clear(answer);
    if (run(host, type, env, answer, &place) < 0) {
        snprintf(details + length, sizeof details - length, BROKEN_SAID "%s", place);
    } else if (answer->length > 0) {
        int most = answer->length < 4096 ? (int)answer->length : 4096;
        snprintf(details + length, sizeof details - length, BROKEN_SAID "%.*s", most,
            answer->bytes);
    }
    return internal_error(host, answer, details);
}

void serve_unreceived(struct host *host, const char *type, const struct buffer *env)
{
    const char *place = "";
    if (!turn_back(env)) return;
    discard(host);
    static const char failed[] = "fairlead: taking the attachment back failed: ";
    struct buffer said = {.limit = REPLY_LIMIT_BYTES};
    buffer_append(&said, failed, sizeof failed - 1);
    int exit_code = run(host, type, env, &said, &place);
    if (exit_code == 0) return;
    if (exit_code < 0) buffer_append(&said, place, (uint32_t)strlen(place));
    tape_said(said.bytes, said.length);
    buffer_append(&said, "\n", 1);
    io_write(STDERR_FILENO, said.bytes, said.length);
}
