/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts at the border to C: UTF-8, and spans as NUL-terminated strings. It refuses to guess: what
 * does not fit or is not UTF-8 is an error, never cut or mended.
 */
#ifndef FAIRLEAD_TEXT_H
#define FAIRLEAD_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

/**
 * The length of the UTF-8 sequence at the start of `text`, of which `length` > 0 bytes are there,
 * and whether it is good (RFC 3629: no overlong form, no surrogate, at most U+10FFFF). Of a bad one
 * it is the length of what one U+FFFD stands for in the Encoding standard.
 */
uint32_t utf8_sequence(const char *text, uint32_t length, bool *good);

/** Whether all of it is UTF-8. */
bool utf8_valid(const char *text, uint32_t length);

/** Copies a span to a NUL-terminated string; false when it has a NUL byte or does not fit. */
bool span_copy(struct span span, char *into, uint32_t size);

/** A NUL-terminated text as a span. */
struct span span_of(const char *text);

/** Whether a span is that NUL-terminated text. */
bool span_is(struct span span, const char *text);

#endif
