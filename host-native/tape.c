/* SPDX-License-Identifier: Apache-2.0 */
/* A recording of the call (tape.h). */
#include "tape.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "abi.gen.h"
#include "border.h"
#include "core-data.h"
#include "io.h"
#include "path.h"
#include "runtime.h"
#include "secrets.h"
#include "text.h"

/** How "0000001733040000-4711.jsonl" begins: microseconds since the boot, which /run is of too. */
#define DIGITS 16
#define NAME_BYTES 64
/** What is kept in memory until it is written, beside what comes before a wait. */
#define CHUNK_BYTES 65536u

static const char SUFFIX[] = ".jsonl";
static const char DEFAULT_STATE[] = "/run/fairlead";

bool tape_runs;

static int tape_fd = -1;
static uint64_t began_us;
static uint64_t operation_us;
static uint32_t written;
static uint32_t most = RECORDING_MAX_BYTES;
static bool begun;
static bool full;
static struct reply line;
static struct reply names;
static struct buffer lines = {.limit = 2 * RECORDING_MAX_BYTES};
static struct buffer scratch = {.limit = REPLY_LIMIT_BYTES};

static uint64_t now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void give_up(int error)
{
    static const char said[] = "fairlead: this call is not recorded, or not to its end: ";
    const char *why = strerror(error);
    io_write(STDERR_FILENO, said, sizeof said - 1);
    io_write(STDERR_FILENO, why, (uint32_t)strlen(why));
    io_write(STDERR_FILENO, "\n", 1);
    if (tape_fd >= 0) close(tape_fd);
    tape_fd = -1;
    tape_runs = false;
}

static bool is_recording(const char *name)
{
    static const char DIGIT[] = "0123456789";
    if (strspn(name, DIGIT) != DIGITS || name[DIGITS] != '-') return false;
    const char *process = name + DIGITS + 1;
    size_t length = strspn(process, DIGIT);
    return length > 0 && strcmp(process + length, SUFFIX) == 0;
}

/** Removes the oldest of a ring while there are as many as it keeps, this one not counted. */
static int32_t trim(const char *ring, int32_t keeps)
{
    for (;;) {
        DIR *folder = opendir(ring);
        if (folder == NULL) return -errno;
        int32_t count = 0;
        char oldest[NAME_BYTES] = "";
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            const char *name = entry->d_name;
            bool is_file = entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN;
            if (!is_file || !is_recording(name) || strlen(name) >= sizeof oldest) continue;
            if (count++ == 0 || strcmp(name, oldest) < 0) memcpy(oldest, name, strlen(name) + 1);
        }
        // Another call may be faster.
        bool enough = count < keeps;
        int status = enough ? 0 : unlinkat(dirfd(folder), oldest, 0);
        int error = errno;
        closedir(folder);
        if (enough) return 0;
        if (status != 0 && error != ENOENT) return -error;
    }
}

/** How many calls the ring keeps, by its file `on`: 0 when there is none. */
static int32_t ring_keeps(const char *ring)
{
    char path[PATH_MAX];
    char text[16] = "";
    if (snprintf(path, sizeof path, "%s/on", ring) >= (int)sizeof path) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    // Off, or not for those who may not look.
    if (fd < 0) return 0;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    int keeps = count > 0 ? atoi(text) : 0;
    return keeps < 0 ? 0 : keeps > RING_MAX_CALLS ? RING_MAX_CALLS : keeps;
}

/** Where this call is to be recorded: 1, 0 when it is not, or -errno. */
static int32_t place(struct host *host, char *into, size_t size)
{
    char folder[PATH_MAX];
    struct path state;
    struct stat info;
    const char *named = getenv("CNI_FAIRLEAD_RECORD");
    if (named != NULL && named[0] != 0) {
        bool inside = stat(named, &info) == 0 && S_ISDIR(info.st_mode);
        if (strlen(named) >= size) return -ENAMETOOLONG;
        strcpy(inside ? folder : into, named);
        if (!inside) return 1;
    } else {
        const char *moved = getenv("CNI_FAIRLEAD_STATE_DIR");
        if (moved == NULL || moved[0] == 0) moved = DEFAULT_STATE;
        // The core says what is wrong with it.
        if (path_resolve(host, span_of(moved), &state) != 0) return 0;
        if (snprintf(folder, sizeof folder, "%s/recordings", state.text) >= (int)sizeof folder)
            return 0;
        int32_t keeps = ring_keeps(folder);
        if (keeps == 0) return 0;
        if (RING_MAX_BYTES / (uint32_t)keeps < most) most = RING_MAX_BYTES / (uint32_t)keeps;
        int32_t status = trim(folder, keeps);
        if (status < 0) return status;
    }
    int length = snprintf(into, size, "%s/%016llu-%d.jsonl", folder,
        (unsigned long long)began_us, (int)getpid());
    return length >= (int)size ? -ENAMETOOLONG : 1;
}

/** Writes what is there. */
static void flush(void)
{
    if (lines.length == 0 || !tape_runs) return;
    int32_t status = lines.error == 0 ? io_write(tape_fd, lines.bytes, lines.length)
                                      : -lines.error;
    buffer_clear(&lines);
    if (status < 0) give_up(-status);
}

/** Ends the line that was begun. */
static void end_line(void)
{
    reply_object_end(&line);
    reply_bytes(&line, "\n", 1);
    if (line.buffer.error != 0) {
        give_up(line.buffer.error);
        return;
    }
    secrets_again(line.buffer.bytes, line.buffer.length);
    buffer_append(&lines, line.buffer.bytes, line.buffer.length);
    if (lines.length >= CHUNK_BYTES) flush();
}

static void begin_line(void)
{
    reply_begin(&line);
    reply_object(&line);
}

static void base64_object(const char *bytes, uint32_t length)
{
    static const char DIGIT[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    reply_object(&line);
    reply_key(&line, "base64");
    reply_bytes(&line, "\"", 1);
    for (uint32_t at = 0; at < length; at += 3) {
        uint32_t left = length - at;
        uint32_t word = (uint32_t)(uint8_t)bytes[at] << 16;
        if (left > 1) word |= (uint32_t)(uint8_t)bytes[at + 1] << 8;
        if (left > 2) word |= (uint8_t)bytes[at + 2];
        char four[4] = {DIGIT[word >> 18], DIGIT[word >> 12 & 63], DIGIT[word >> 6 & 63],
            DIGIT[word & 63]};
        if (left < 3) four[3] = '=';
        if (left < 2) four[2] = '=';
        reply_bytes(&line, four, sizeof four);
    }
    reply_bytes(&line, "\"", 1);
    reply_object_end(&line);
}

/** Bytes without their secrets, as base64 or, where they are one, as a text. */
static void bytes_value(struct span bytes, bool is_text)
{
    buffer_clear(&scratch);
    buffer_append(&scratch, bytes.ptr, bytes.len);
    if (scratch.length > 0) {
        secrets_json(scratch.bytes, scratch.length, &names);
        if (!is_text) secrets_pairs(scratch.bytes, scratch.length, &names);
        secrets_again(scratch.bytes, scratch.length);
    }
    if (is_text) reply_json_string(&line, scratch.bytes, scratch.length);
    else base64_object(scratch.bytes, scratch.length);
}

static void text_member(const char *key, const char *text)
{
    reply_key(&line, key);
    reply_json_text(&line, text);
}

static void number_member(const char *key, uint64_t number)
{
    reply_key(&line, key);
    reply_int(&line, (int64_t)number);
}

static void variables(const struct buffer *env)
{
    buffer_clear(&scratch);
    buffer_append(&scratch, env->bytes, env->length);
    if (scratch.length > 0) secrets_pairs(scratch.bytes, scratch.length, &names);
    reply_key(&line, "env");
    reply_object(&line);
    for (uint32_t at = 0; at < scratch.length;) {
        char *name = scratch.bytes + at;
        at += (uint32_t)strlen(name) + 1;
        char *equals = strchr(name, '=');
        if (equals == NULL) continue;
        *equals = 0;
        text_member(name, equals + 1);
    }
    reply_object_end(&line);
}

void tape_begin(struct host *host, const char *type, const struct buffer *env)
{
    char path[PATH_MAX];
    began_us = now_us(CLOCK_MONOTONIC);
    int32_t wanted = place(host, path, sizeof path);
    if (wanted == 0) return;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND | O_CLOEXEC;
    if (wanted > 0) tape_fd = open(path, flags, FILE_MODE);
    if (tape_fd < 0) {
        give_up(wanted < 0 ? -wanted : errno);
        return;
    }
    tape_runs = true;
    reply_begin(&names);
    reply_list(&names);
    begin_line();
    number_member("fairlead_recording", RECORDING_VERSION);
    text_member("version", program_version);
    text_member("abi", ABI_MARKER);
    text_member("module_sha256", core_sha256);
    text_member("host", "native");
    number_member("started_ms", now_us(CLOCK_REALTIME) / 1000);
    text_member("type", type);
    variables(env);
    end_line();
    flush();
}

void tape_operation(const char *row)
{
    if (row[ROW_TOLD] == 'u') return;
    // What takes an ADD back is given the same again.
    static bool input_told;
    if (row[ROW_REPLY] == 't' && input_told) return;
    input_told |= row[ROW_REPLY] == 't';
    if (row[ROW_WAITS] == 'w') flush();
    begun = true;
    operation_us = now_us(CLOCK_MONOTONIC);
}

/** Arguments, by the part of a row with the parameters. */
static void arguments(const struct host *host, const char *row, const uint32_t *raw)
{
    reply_key(&line, "args");
    reply_object(&line);
    for (; *row != 0; row += strlen(row) + 1) {
        reply_key(&line, row + 1);
        if (*row == 'i') {
            reply_int(&line, (int32_t)*raw++);
            continue;
        }
        // The border has checked it.
        struct span value = {raw[1] == 0 ? "" : memory_bytes(host->memory) + raw[0], raw[1]};
        if (*row == 's') reply_json_string(&line, value.ptr, value.len);
        else bytes_value(value, false);
        raw += 2;
    }
    reply_object_end(&line);
}

static void outcome(const struct host *host, char kind, int32_t status)
{
    struct span shown;
    shown.ptr = reply_shown(&host->reply, &shown.len);
    if (status < 0) {
        number_member("errno", (uint64_t)-(int64_t)status);
        reply_key(&line, "text");
        reply_json_string(&line, shown.ptr, shown.len);
    } else if (kind != 'n') {
        reply_key(&line, "value");
        bool is_text = kind == 't' && utf8_valid(shown.ptr, shown.len);
        if (kind == 'v') reply_int(&line, status);
        else if (kind == 'j') reply_bytes(&line, shown.ptr, shown.len);
        else bytes_value(shown, is_text);
    }
}

void tape_note(const struct host *host, const char *row, const uint32_t *raw, int32_t status)
{
    if (!begun || full) return;
    begun = false;
    uint64_t took_us = now_us(CLOCK_MONOTONIC) - operation_us;
    const char *name = row + ROW_NAME;
    begin_line();
    static const char MODULES[] = "host\0kernel\0nft\0store\0plugin";
    const char *module = MODULES;
    while (*module != row[ROW_MODULE]) module += strlen(module) + 1;
    char op[NAME_BYTES];
    snprintf(op, sizeof op, "%s.%s", module, name);
    text_member("op", op);
    arguments(host, name + strlen(name) + 1, raw);
    outcome(host, row[ROW_REPLY], status);
    if (row[ROW_TOLD] == 's') secrets_json(line.buffer.bytes, line.buffer.length, &names);
    number_member("us", took_us);
    written += line.buffer.length;
    full = written > most;
    if (full) {
        begin_line();
        reply_key(&line, "cut");
        reply_bool(&line, true);
    }
    end_line();
}

void tape_said(const char *text, uint32_t length)
{
    if (!tape_runs || full) return;
    begin_line();
    text_member("op", "host.log");
    reply_key(&line, "args");
    reply_object(&line);
    reply_key(&line, "text");
    reply_json_string(&line, text, length);
    reply_object_end(&line);
    secrets_json(line.buffer.bytes, line.buffer.length, &names);
    number_member("us", 0);
    end_line();
}

void tape_end(int exit_code, const struct buffer *answer, bool received)
{
    if (!tape_runs) return;
    begin_line();
    number_member("exit_code", (uint64_t)exit_code);
    reply_key(&line, "stdout");
    reply_json_string(&line, answer->bytes, answer->length);
    secrets_json(line.buffer.bytes, line.buffer.length, &names);
    if (!received) {
        reply_key(&line, "received");
        reply_bool(&line, false);
    }
    number_member("us", now_us(CLOCK_MONOTONIC) - began_us);
    reply_key(&line, "redacted");
    reply_bytes(&line, names.buffer.bytes, names.buffer.length);
    reply_bytes(&line, "]", 1);
    end_line();
    flush();
}
