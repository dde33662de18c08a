/*
 * What the core's memory begins with, packed by scripts/wasm-data.mjs, which makes core-data.c: a
 * number in LEB128, whose two low bits say whether the rest counts zeros (0), bytes that follow
 * (1), bytes that follow and each have a zero behind them in memory (2), or the same as a text of
 * the compiler (3): in memory five words of 32 bits before it, the size of its block, 0, 0, 2, and
 * the size of the text; and zeros behind it until the block ends, 4 bytes before a multiple of 16.
 */
#ifndef FAIRLEAD_CORE_DATA_H
#define FAIRLEAD_CORE_DATA_H

#include <stdint.h>

extern const uint8_t core_data[];
extern const uint32_t core_data_length;

#endif
