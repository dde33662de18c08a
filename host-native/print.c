/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snprintf and vsnprintf for the few conversions that this host uses: d, i, u, x (with l, ll or
 * z, a width, zeros before it), c, s (with a precision) and %%. They take the place of the C
 * library's, whose floating point, wide characters and streams are ten times as much. Any other
 * conversion ends the process: test/native/print.test.ts holds these beside the C library's.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Digits of 64 bits in base 10, and a sign. */
#define NUMBER_MAX_BYTES 24

/** Where the text goes; what does not fit is counted only. */
struct text {
    char *into;
    size_t size;
    size_t length;
};

/** What stands between % and the letter. */
struct conversion {
    bool zeros;
    bool precise;
    size_t width;
    size_t precision;
    /** How many l; z is the same as one. */
    int longs;
};

static void put(struct text *text, const char *bytes, size_t count)
{
    size_t room = text->length < text->size ? text->size - text->length : 0;
    if (room > 0) memcpy(text->into + text->length, bytes, count < room ? count : room);
    text->length += count;
}

static void put_number(struct text *text, const struct conversion *how, uint64_t value, bool minus,
    unsigned base)
{
    char digits[NUMBER_MAX_BYTES];
    char *const end = digits + sizeof digits;
    char *at = end;
    do {
        *--at = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    size_t count = (size_t)(end - at) + (minus ? 1 : 0);
    if (minus && how->zeros) put(text, "-", 1);
    for (size_t i = count; i < how->width; i++) put(text, how->zeros ? "0" : " ", 1);
    if (minus && !how->zeros) put(text, "-", 1);
    put(text, at, (size_t)(end - at));
}

/** Reads up to the letter, and gives where that is. */
static const char *read_conversion(const char *at, struct conversion *how, int precision)
{
    memset(how, 0, sizeof *how);
    how->zeros = *at == '0';
    for (; *at >= '0' && *at <= '9'; at++) how->width = 10 * how->width + (size_t)(*at - '0');
    if (at[0] == '.' && at[1] == '*') {
        how->precise = precision >= 0;
        how->precision = how->precise ? (size_t)precision : 0;
        at += 2;
    }
    for (; *at == 'l' || *at == 'z'; at++) how->longs++;
    return at;
}

int vsnprintf(char *restrict into, size_t size, const char *restrict format, va_list arguments)
{
    // The last byte is for the end.
    struct text text = {into, size > 0 ? size - 1 : 0, 0};
    for (const char *at = format; *at != 0; at++) {
        size_t plain = strcspn(at, "%");
        put(&text, at, plain);
        at += plain;
        if (*at == 0) break;
        at++;
        struct conversion how;
        bool asks = at[0] == '.' && at[1] == '*';
        at = read_conversion(at, &how, asks ? va_arg(arguments, int) : -1);
        if (*at == 's') {
            const char *shown = va_arg(arguments, const char *);
            put(&text, shown, how.precise ? strnlen(shown, how.precision) : strlen(shown));
        } else if (*at == 'd' || *at == 'i') {
            int64_t value = how.longs > 0 ? va_arg(arguments, long long) : va_arg(arguments, int);
            uint64_t size_of = value < 0 ? -(uint64_t)value : (uint64_t)value;
            put_number(&text, &how, size_of, value < 0, 10);
        } else if (*at == 'u' || *at == 'x') {
            uint64_t value = how.longs > 0 ? va_arg(arguments, unsigned long long)
                                           : va_arg(arguments, unsigned);
            put_number(&text, &how, value, false, *at == 'u' ? 10 : 16);
        } else if (*at == 'c') {
            char one = (char)va_arg(arguments, int);
            put(&text, &one, 1);
        } else if (*at == '%') {
            put(&text, at, 1);
        } else {
            abort();
        }
    }
    if (size > 0) into[text.length < size ? text.length : size - 1] = 0;
    return (int)text.length;
}

int snprintf(char *restrict into, size_t size, const char *restrict format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(into, size, format, arguments);
    va_end(arguments);
    return length;
}
