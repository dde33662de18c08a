/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a call whole whatever its caller does: standard descriptors that are there, and
 * signals that wait for the end of the call. It refuses to know what the call is.
 */
#ifndef FAIRLEAD_HOLD_H
#define FAIRLEAD_HOLD_H

/**
 * Opens descriptors 0 to 2 that the caller has closed, on nothing, lest a file of the call gets
 * their numbers. What is written there fails (EBADF). Before anything else is opened.
 */
void hold_descriptors(void);

/**
 * Has a reader that is gone and a limit on file sizes tell it by the errno of a write (EPIPE,
 * EFBIG), in place of a signal.
 */
void hold_writes(void);

/**
 * Has SIGTERM, SIGINT and SIGHUP wait until the process ends by itself: half a call would leave
 * half an attachment. Once standard input is read, as until then nothing is changed.
 */
void hold_signals(void);

#endif
