/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core's memory begins with, packed by scripts/wasm-data.mjs, which makes core-data.c, and
 * unpacked by unpack.c. It is parts: a number, whose two low bits say what the rest counts.
 *
 *   0  zeros
 *   1  bytes, which follow
 *   2  words of 32 bits of an array of a template: for every second of them, the first included, a
 *      number follows, and those between are 0. It is 0 for a word that is 0, else 1 and how many
 *      blocks of 16 bytes the word lies from the one before of any template, as 2n or, when it
 *      lies before it, 2n - 1
 *   3  characters of a text, which follow, and each have a zero behind them in memory
 *
 * The last two are objects of the compiler. In memory there are five words before each: the size of
 * its block, 0 for a text and 3 for a template, 0, its kind, which is 2 for a text, and its own
 * size; and behind it zeros until the block ends, 4 bytes before a multiple of 16. Numbers are
 * unsigned LEB128.
 */
#ifndef FAIRLEAD_CORE_DATA_H
#define FAIRLEAD_CORE_DATA_H

#include <stdint.h>

extern const uint8_t core_data[];
extern const uint32_t core_data_length;
extern const uint32_t core_template_kind;

/** Of core.wasm, in hexadecimal; the version of the program. */
extern const char core_sha256[];
extern const char program_version[];

#endif
