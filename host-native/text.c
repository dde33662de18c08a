/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 and NUL-terminated strings (text.h). */
#include "text.h"

#include <string.h>

/** Continuation bytes that a first byte asks for, and the bounds of the first of them. */
struct sequence {
    uint32_t more;
    unsigned char low;
    unsigned char high;
};

/** RFC 3629 section 4; `more` 0 for a byte that starts no sequence of several bytes. */
static struct sequence sequence_of(unsigned char first)
{
    struct sequence sequence = {0, 0x80, 0xbf};
    if (first >= 0xc2 && first <= 0xdf) sequence.more = 1;
    else if (first >= 0xe0 && first <= 0xef) sequence.more = 2;
    else if (first >= 0xf0 && first <= 0xf4) sequence.more = 3;
    if (first == 0xe0) sequence.low = 0xa0;
    else if (first == 0xed) sequence.high = 0x9f;
    else if (first == 0xf0) sequence.low = 0x90;
    else if (first == 0xf4) sequence.high = 0x8f;
    return sequence;
}

uint32_t utf8_sequence(const char *text, uint32_t length, bool *good)
{
    unsigned char first = (unsigned char)text[0];
    *good = first < 0x80;
    if (first < 0x80) return 1;
    struct sequence sequence = sequence_of(first);
    if (sequence.more == 0) return 1;
    for (uint32_t at = 1; at <= sequence.more; at++) {
        unsigned char byte = at < length ? (unsigned char)text[at] : 0;
        if (byte < sequence.low || byte > sequence.high) return at;
        sequence.low = 0x80;
        sequence.high = 0xbf;
    }
    *good = true;
    return sequence.more + 1;
}

bool utf8_valid(const char *text, uint32_t length)
{
    bool good = true;
    for (uint32_t at = 0; at < length && good;) at += utf8_sequence(text + at, length - at, &good);
    return good;
}

bool span_copy(struct span span, char *into, uint32_t size)
{
    if (span.len >= size || memchr(span.ptr, 0, span.len) != NULL) return false;
    memcpy(into, span.ptr, span.len);
    into[span.len] = 0;
    return true;
}

struct span span_of(const char *text)
{
    return (struct span){text, (uint32_t)strlen(text)};
}

bool span_is(struct span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.ptr, text, span.len) == 0;
}
