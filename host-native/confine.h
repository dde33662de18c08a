/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Less power for the rest of the process: fewer capabilities, and no system calls but those that
 * the operations make. It owns what is given up; whether it is wanted is reach.h's to know.
 */
#ifndef FAIRLEAD_CONFINE_H
#define FAIRLEAD_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/** Whether this kernel has filters of system calls (seccomp). */
bool confine_has_filters(void);

/** Gives up the capabilities that no operation needs, for good: 0 or -errno. */
int32_t confine_capabilities(void);

/**
 * Gives up the system calls that no operation makes, for good: 0 or -errno. Programs cannot be
 * executed afterwards: see launcher.h.
 */
int32_t confine_system_calls(void);

#endif
