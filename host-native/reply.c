/* SPDX-License-Identifier: Apache-2.0 */
/* The reply slot and its JSON writer (reply.h). */
#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static const char HEX[] = "0123456789abcdef";
/** What stands for bytes that are not UTF-8. */
static const char REPLACEMENT[] = "\xef\xbf\xbd";

void reply_begin(struct reply *reply)
{
    reply->buffer.limit = REPLY_LIMIT_BYTES;
    buffer_clear(&reply->buffer);
    reply->lent = NULL;
    reply->words = false;
}

int32_t reply_end(struct reply *reply)
{
    return -reply->buffer.error;
}

void reply_bytes(struct reply *reply, const void *bytes, uint32_t length)
{
    buffer_append(&reply->buffer, bytes, length);
}

/** A comma, unless the value is the first of its object or list, or follows its key. */
static void separate(struct reply *reply)
{
    const struct buffer *buffer = &reply->buffer;
    char last = buffer->length == 0 ? '[' : buffer->bytes[buffer->length - 1];
    if (last != '[' && last != '{' && last != ':') reply_bytes(reply, ",", 1);
}

void reply_object(struct reply *reply)
{
    separate(reply);
    reply_bytes(reply, "{", 1);
}

void reply_object_end(struct reply *reply)
{
    reply_bytes(reply, "}", 1);
}

void reply_list(struct reply *reply)
{
    separate(reply);
    reply_bytes(reply, "[", 1);
}

void reply_list_end(struct reply *reply)
{
    reply_bytes(reply, "]", 1);
}

void reply_key(struct reply *reply, const char *key)
{
    separate(reply);
    reply_bytes(reply, "\"", 1);
    reply_bytes(reply, key, (uint32_t)strlen(key));
    reply_bytes(reply, "\":", 2);
}

/** Whether a byte stands for itself in a JSON string. */
static bool plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/** An ASCII byte that does not stand for itself. */
static void escape(struct reply *reply, unsigned char byte)
{
    char text[6] = {'\\', 'u', '0', '0', HEX[byte >> 4], HEX[byte & 15]};
    uint32_t length = sizeof text;
    if (byte == '"' || byte == '\\') {
        text[1] = (char)byte;
        length = 2;
    }
    reply_bytes(reply, text, length);
}

void reply_json_string(struct reply *reply, const char *text, uint32_t length)
{
    separate(reply);
    reply_bytes(reply, "\"", 1);
    for (uint32_t at = 0; at < length;) {
        uint32_t end = at;
        while (end < length && plain((unsigned char)text[end])) end++;
        if (end > at) {
            reply_bytes(reply, text + at, end - at);
            at = end;
            continue;
        }
        unsigned char byte = (unsigned char)text[at];
        if (byte < 0x80) {
            escape(reply, byte);
            at++;
            continue;
        }
        bool good;
        uint32_t size = utf8_sequence(text + at, length - at, &good);
        if (good) reply_bytes(reply, text + at, size);
        else reply_bytes(reply, REPLACEMENT, sizeof REPLACEMENT - 1);
        at += size;
    }
    reply_bytes(reply, "\"", 1);
}

void reply_json_text(struct reply *reply, const char *text)
{
    reply_json_string(reply, text, (uint32_t)strlen(text));
}

void reply_int(struct reply *reply, int64_t value)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%lld", (long long)value);
    separate(reply);
    reply_bytes(reply, text, (uint32_t)length);
}

void reply_bool(struct reply *reply, bool value)
{
    separate(reply);
    reply_bytes(reply, value ? "true" : "false", value ? 4 : 5);
}

void reply_null(struct reply *reply)
{
    separate(reply);
    reply_bytes(reply, "null", 4);
}

void reply_lend(struct reply *reply, const char *bytes, uint32_t length)
{
    reply->lent = bytes;
    reply->lent_length = length;
}

int32_t reply_fail_words(struct reply *reply, int32_t error, const char *words, uint32_t length)
{
    reply_begin(reply);
    reply_bytes(reply, words, length);
    reply->words = true;
    return -error;
}

int32_t reply_fail(struct reply *reply, int32_t error, const char *format, ...)
{
    char words[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    if (length < 0) length = 0;
    if ((size_t)length >= sizeof words) length = (int)sizeof words - 1;
    return reply_fail_words(reply, error, words, (uint32_t)length);
}

const char *reply_shown(const struct reply *reply, uint32_t *length)
{
    if (reply->lent != NULL) {
        *length = reply->lent_length;
        return reply->lent;
    }
    *length = reply->buffer.length;
    return reply->buffer.bytes;
}
