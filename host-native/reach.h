/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a call may reach: the folders that it writes to and the programs that it executes, as its
 * core said before it changed anything (host.confine). It owns both lists and who holds the call to
 * them; how that is done is landlock.h, confine.h and launcher.h. It refuses to know why a folder
 * or program is among them.
 */
#ifndef FAIRLEAD_REACH_H
#define FAIRLEAD_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

enum reach_wish {
    /** Nothing is held to anything. */
    REACH_FREE,
    /** Held to its folders and programs, and to few capabilities, as far as this kernel can. */
    REACH_HELD,
    /** To few system calls too; where this kernel cannot do all of it, the call fails. */
    REACH_CONFINED,
};

/**
 * Says what is wanted, before the core runs: 0, or -ENOSYS when it is wanted or nothing and this
 * kernel cannot.
 */
int32_t reach_begin(enum reach_wish wish);

/** Whether a path that path_resolve took may be written to. */
bool reach_may_write(const char *path);

/**
 * Whether a program may be executed with these variables (NAME=value, each ended by a NUL byte):
 * one that was named, in a folder of the CNI_PATH that this process started with or by its path,
 * and variables of CNI_ alone.
 */
bool reach_may_execute(struct span path, struct span env);

/** Whether a process may be called that listens at a path: one that was named. */
bool reach_may_call(struct span path);

#endif
