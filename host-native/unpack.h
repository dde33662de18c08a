/* SPDX-License-Identifier: Apache-2.0 */
/* What the core's memory begins with, taken out of the program (core-data.h). */
#ifndef FAIRLEAD_UNPACK_H
#define FAIRLEAD_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/** Unpacks it into a memory of zeros that holds `size` bytes. Data of another form is a trap. */
void unpack(uint8_t *memory, size_t size);

#endif
