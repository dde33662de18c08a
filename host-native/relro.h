/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the program that is constant once it is relocated (PT_GNU_RELRO, elf(5)).
 */
#ifndef FAIRLEAD_RELRO_H
#define FAIRLEAD_RELRO_H

#include <stdint.h>

/** Makes it read-only: 0 or -errno. */
int32_t relro_begin(void);

#endif
