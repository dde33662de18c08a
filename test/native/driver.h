/* SPDX-License-Identifier: Apache-2.0 */
/* What driver.c shares with the generated `perform`. */
#ifndef FAIRLEAD_TEST_DRIVER_H
#define FAIRLEAD_TEST_DRIVER_H

#include "host.h"

struct arguments {
    const char *at;
    const char *end;
    char *copies[16];
    int count;
};

int32_t argument_i32(struct arguments *arguments);
struct span argument_span(struct arguments *arguments);

/** Performs the operation of that name; -ENOSYS when there is none. */
int32_t perform(struct host *host, const char *name, struct arguments *arguments);

#endif
