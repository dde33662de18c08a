/* SPDX-License-Identifier: Apache-2.0 */
/* What border.c shares with the generated operations and `call`. */
#ifndef FAIRLEAD_BORDER_TEST_H
#define FAIRLEAD_BORDER_TEST_H

#include "host.h"

/** Operations that the glue let through since the call began. */
extern int reached;

/** Reads every byte, so that a sanitizer sees one that is not there. */
void touch(const char *bytes, uint32_t length);

/** Calls the import of that name, as the core would; aborts when there is none. */
uint32_t call(struct host *host, const char *name, const uint32_t *arguments);

#endif
