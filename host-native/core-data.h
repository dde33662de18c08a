/*
 * What the core's memory begins with, made by scripts/wasm-data.mjs in two steps, which unpack.c
 * takes back. Numbers are unsigned LEB128.
 *
 * First, the memory as parts: a number whose two low bits say whether the rest counts zeros (0),
 * bytes that follow (1), bytes that follow and each have a zero behind them in memory (2), or the
 * same as a text of the compiler (3): in memory five words of 32 bits before it, the size of its
 * block, 0, 0, 2, and the size of the text; and zeros behind it until the block ends, 4 bytes
 * before a multiple of 16.
 *
 * Then these parts, which are `core_parts_length` bytes, squeezed: a token, whose four high bits
 * count bytes that follow, and whose four low bits how many more than three bytes are repeated
 * after those. Of 15 the rest is a number, behind the token or at the end. Before what is repeated
 * comes a number: how far back it lies. After the last bytes that follow there is none of that.
 */
#ifndef FAIRLEAD_CORE_DATA_H
#define FAIRLEAD_CORE_DATA_H

#include <stdint.h>

extern const uint8_t core_data[];
extern const uint32_t core_data_length;
extern const uint32_t core_parts_length;

#endif
