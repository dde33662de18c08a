/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reply slot: what an operation gives back that varies in size, as JSON or bytes, or after a
 * failure the words that explain it. It refuses to validate what is written: commas are set, names
 * and values are the caller's.
 *
 *     reply_object(reply);
 *     reply_key(reply, "ifindex");
 *     reply_int(reply, 5);
 *     reply_object_end(reply);
 *     return reply_end(reply);
 */
#ifndef FAIRLEAD_REPLY_H
#define FAIRLEAD_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

/** The names of 250,000 leases have some 4 MB, standard input has at most 8 MiB. */
#define REPLY_LIMIT_BYTES (64u << 20)

struct reply {
    struct buffer buffer;
    /** What the slot shows instead of the buffer, when not NULL: see reply_lend. */
    const char *lent;
    uint32_t lent_length;
    /** Whether the slot holds the words of a failure. */
    bool words;
};

/** Empties the slot. The glue has done so before an operation with a reply is called. */
void reply_begin(struct reply *reply);

/** Ends a reply: 0, or -ENOMEM or -EFBIG when it did not fit. */
int32_t reply_end(struct reply *reply);

void reply_object(struct reply *reply);
void reply_object_end(struct reply *reply);
void reply_list(struct reply *reply);
void reply_list_end(struct reply *reply);

/** The name of the next value; it is written as it stands, so no quotes or backslashes. */
void reply_key(struct reply *reply, const char *key);

/** A JSON string. What is not UTF-8 becomes U+FFFD, as TextDecoder does. */
void reply_json_string(struct reply *reply, const char *text, uint32_t length);

/** A JSON string of a NUL-terminated text. */
void reply_json_text(struct reply *reply, const char *text);

void reply_int(struct reply *reply, int64_t value);
void reply_bool(struct reply *reply, bool value);
void reply_null(struct reply *reply);

/** Appends bytes as they are: replies of the kind `bytes`, or JSON that is ready. */
void reply_bytes(struct reply *reply, const void *bytes, uint32_t length);

/** Lets the slot show bytes that stay where they are until the next operation. */
void reply_lend(struct reply *reply, const char *bytes, uint32_t length);

/**
 * Leaves words, as printf makes them, in the slot and gives -error, for `return reply_fail(…)`.
 * They are cut at 1 KiB.
 */
int32_t reply_fail(struct reply *reply, int32_t error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** As reply_fail with words that are ready: the kernel's own. */
int32_t reply_fail_words(struct reply *reply, int32_t error, const char *words, uint32_t length);

/** What the slot shows. */
const char *reply_shown(const struct reply *reply, uint32_t *length);

#endif
