/* SPDX-License-Identifier: Apache-2.0 */
/* Stars in the place of secrets (secrets.h). */
#include "secrets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "abi.gen.h"

/** Names that are longer are none of a key. */
#define NAME_MAX_BYTES 64
/** Values that are shorter are words of anybody. */
#define VALUE_MIN_BYTES 8
/** So many values are looked for again. */
#define VALUES_MAX 16

/** Values that were overwritten. */
static struct span values[VALUES_MAX];
static uint32_t value_count;

/** What is looked at, and the names of the secrets found in it. */
struct search {
    char *text;
    uint32_t length;
    struct reply *names;
};

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/** A letter, a digit, "-", "_", "." or "/". */
static bool is_of_name(char byte)
{
    char small = (char)(byte | 32);
    return (byte >= '-' && byte <= '9') || byte == '_' || (small >= 'a' && small <= 'z');
}

/** How long the name is that ends before `end`; 0 for none or one that is too long. */
static uint32_t name_before(const struct search *in, uint32_t end)
{
    uint32_t from = end;
    while (from > 0 && is_of_name(in->text[from - 1])) from--;
    return end - from > NAME_MAX_BYTES ? 0 : end - from;
}

/** Whether a name is among the words of a list, or holds one of them. */
static bool is_among(const char *name, const char *words, bool whole)
{
    for (;;) {
        size_t length = strcspn(words, " ");
        for (const char *at = name; *at != 0; at++) {
            if (strncmp(at, words, length) == 0 && (!whole || (at == name && at[length] == 0)))
                return true;
        }
        if (words[length] == 0) return false;
        words += length + 1;
    }
}

/** Whether a name looks like that of a secret. */
static bool is_secret(const char *name, uint32_t length)
{
    char plain[NAME_MAX_BYTES + 1];
    uint32_t count = 0;
    for (uint32_t at = 0; at < length; at++) {
        char byte = name[at];
        if (byte == '-' || byte == '_' || byte == '.') continue;
        plain[count++] = byte >= 'A' && byte <= 'Z' ? (char)(byte | 32) : byte;
    }
    plain[count] = 0;
    return is_among(plain, SECRET_NAMES, true) || is_among(plain, SECRET_WORDS, false);
}

/** Notes a name, each once. */
static void note(const struct search *in, const char *name, uint32_t length)
{
    const struct buffer *known = &in->names->buffer;
    for (uint32_t at = 0; at + length + 2 <= known->length; at++) {
        const char *there = known->bytes + at;
        if (there[0] == '"' && there[length + 1] == '"' && !memcmp(there + 1, name, length)) return;
    }
    reply_json_string(in->names, name, length);
}

static uint32_t backslashes_before(const struct search *in, uint32_t at, uint32_t least)
{
    uint32_t from = at;
    while (from > least && in->text[from - 1] == '\\') from--;
    return at - from;
}

/**
 * Where the closing quote of a text is whose quotes have `depth` backslashes before them. Quotes of
 * the text itself have more, in steps of a whole level.
 */
static uint32_t end_of_text(const struct search *in, uint32_t from, uint32_t depth)
{
    for (uint32_t at = from; at < in->length; at++) {
        if (in->text[at] != '"') continue;
        if (backslashes_before(in, at, from) % (2 * (depth + 1)) == depth) return at;
    }
    return in->length;
}

/** Whether the text that ends there is a name itself. */
static bool is_key(const struct search *in, uint32_t end)
{
    uint32_t at = end + 1;
    while (at < in->length && is_space(in->text[at])) at++;
    return at < in->length && in->text[at] == ':';
}

static bool is_kept(const char *value, uint32_t length)
{
    for (uint32_t at = 0; at < value_count; at++) {
        if (values[at].len == length && memcmp(values[at].ptr, value, length) == 0) return true;
    }
    return false;
}

/** Overwrites a value, and keeps it to be found again: once, however often it is met. */
static void hide(const struct search *in, uint32_t from, uint32_t to)
{
    uint32_t length = to - from;
    char *value = in->text + from;
    bool plain = length >= VALUE_MIN_BYTES && memchr(value, '\\', length) == NULL;
    bool fresh = plain && memchr(value, '*', length) == NULL && !is_kept(value, length);
    char *kept = fresh && value_count < VALUES_MAX ? malloc(length) : NULL;
    if (kept != NULL) {
        memcpy(kept, value, length);
        values[value_count++] = (struct span){kept, length};
    }
    memset(value, '*', length);
}

void secrets_again(char *text, uint32_t length)
{
    for (uint32_t at = 0; at < value_count; at++) {
        const struct span *value = &values[at];
        char *found = text;
        for (;;) {
            uint32_t left = length - (uint32_t)(found - text);
            found = memmem(found, left, value->ptr, value->len);
            if (found == NULL) break;
            memset(found, '*', value->len);
        }
    }
}

/** The value of a member: a text, a number, or all texts and numbers in a list or object. */
static void hide_value(const struct search *in, uint32_t from, uint32_t depth, const char *name,
    uint32_t length)
{
    int open = 0;
    for (uint32_t at = from; at < in->length; at++) {
        char byte = in->text[at];
        bool brace = byte == '{' || byte == '[' || byte == '}' || byte == ']';
        if (byte == ',' && open == 0) return;
        if (is_digit(byte)) {
            note(in, name, length);
            in->text[at] = '1';
        }
        if (brace) open += byte == '{' || byte == '[' ? 1 : -1;
        if (byte == '"') {
            uint32_t end = end_of_text(in, at + 1, depth);
            bool holds = end > at + 1 + depth;
            if (holds && !is_key(in, end)) {
                note(in, name, length);
                hide(in, at + 1, end - depth);
            }
            at = end;
        }
        if ((brace || byte == '"') && open <= 0) return;
    }
}

void secrets_json(char *text, uint32_t length, struct reply *names)
{
    struct search in = {text, length, names};
    for (uint32_t at = 1; at < length; at++) {
        if (text[at] != ':') continue;
        uint32_t end = at - 1;
        while (end > 0 && is_space(text[end])) end--;
        if (text[end] != '"') continue;
        uint32_t depth = backslashes_before(&in, end, 0);
        uint32_t size = name_before(&in, end - depth);
        if (size == 0 || size + depth + 1 > end) continue;
        const char *name = text + end - depth - size;
        if (name[-1] == '"' && is_secret(name, size)) hide_value(&in, at + 1, depth, name, size);
    }
}

void secrets_pairs(char *text, uint32_t length, struct reply *names)
{
    struct search in = {text, length, names};
    for (uint32_t at = 0; at < length; at++) {
        uint32_t size = text[at] == '=' ? name_before(&in, at) : 0;
        if (size == 0 || !is_secret(text + at - size, size)) continue;
        uint32_t end = at + 1;
        while (end < length && text[end] != ';' && text[end] != 0) end++;
        if (end == at + 1) continue;
        note(&in, text + at - size, size);
        hide(&in, at + 1, end);
    }
}
