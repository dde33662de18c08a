/*
 * What the core's memory begins with, packed by scripts/wasm-data.mjs, which makes core-data.c: a
 * number in LEB128, whose two low bits say whether the rest counts zeros (0), bytes that follow
 * (1), or bytes that follow and each have a zero behind them in memory (2).
 */
#ifndef FAIRLEAD_CORE_DATA_H
#define FAIRLEAD_CORE_DATA_H

#include <stdint.h>

extern const uint8_t core_data[];
extern const uint32_t core_data_length;

#endif
