/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock: the kernel's own hold on the files that a process and its children may change, whatever
 * becomes of them. Reading stays as it is. It refuses to choose folders (reach.h).
 */
#ifndef FAIRLEAD_LANDLOCK_H
#define FAIRLEAD_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

/** A set of folders under construction. */
struct landlock {
    int fd;
    uint64_t rights;
};

/** Whether this kernel has it: Linux 5.13, unless it was started without. */
bool landlock_is_there(void);

/** Begins a set, in which there are the sysctls of networks: 0 or -errno. */
int32_t landlock_open(struct landlock *held);

/**
 * Adds a folder with all below it. One that is missing is made when that is wanted; one that is
 * missing then, or cannot be opened, is not added.
 */
void landlock_allow(struct landlock *held, const char *folder, bool make);

/** Holds the process to the set from now on: 0 or -errno. The set is gone. */
int32_t landlock_close(struct landlock *held);

/** The set is gone, and nothing is held. Gives 0. */
int32_t landlock_forget(struct landlock *held);

#endif
