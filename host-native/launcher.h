/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that executes foreign plugins for one that is confined and cannot. It owns the pipe
 * between the two; what it is asked is done by plugin.c.
 */
#ifndef FAIRLEAD_LAUNCHER_H
#define FAIRLEAD_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

/** The arguments of plugin.exec, or of plugin.socket_call. */
struct order {
    struct span path;
    /** Of a call: what is said first. */
    struct span env;
    struct span input;
    int32_t timeout_ms;
    /** Whether the path is that of a socket. */
    bool call;
};

/** Executes a plugin; what plugin.exec gives. */
typedef int32_t executor(struct host *host, const struct order *order);

/** Starts the process, which serves orders by `execute` until launcher_end: 0 or -errno. */
int32_t launcher_begin(executor *execute);

/** Whether it was started. */
bool launcher_is_there(void);

/** Has an order served there: its status, with the reply or the words in the slot. */
int32_t launcher_ask(struct host *host, const struct order *order);

/** Ends it. */
void launcher_end(void);

#endif
