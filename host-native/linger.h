/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel still has to do when all is said: a short-lived child waits for it, so that the
 * caller need not. It owns those children: none has a descriptor of the caller's, none outlives
 * LINGER_S seconds. It refuses to know what is waited for.
 */
#ifndef FAIRLEAD_LINGER_H
#define FAIRLEAD_LINGER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Has a child send bytes on a socket and wait until that returns; -1 when there can be none. */
pid_t linger_send(int fd, const void *bytes, size_t length);

/** Whether such a child is still there. */
bool linger_alive(pid_t child);

/**
 * Has a child keep these open after this process has ended: sockets of a protocol whose close
 * waits, and makes others wait, while the kernel is busy with what was asked of it. The child
 * closes them when the kernel should be done. Without a child, the end of this process waits.
 */
void linger_hold(const int *fds, int count);

#endif
