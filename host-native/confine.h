/*
 * Less power for the rest of the process: fewer capabilities, and no system calls but those that
 * the operations make. It owns what is given up; whether it is wanted is reach.h's to know.
 */
#ifndef FAIRLEAD_CONFINE_H
#define FAIRLEAD_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/** Whether this kernel has seccomp filters. */
bool confine_is_there(void);

/**
 * Gives up what no operation needs, for good: 0, or -errno when the kernel knows no such thing.
 * Programs cannot be executed afterwards: see launcher.h.
 */
int32_t confine(void);

#endif
