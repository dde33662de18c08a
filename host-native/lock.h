/* SPDX-License-Identifier: Apache-2.0 */
/* The locks that the core holds, by handle. */
#ifndef FAIRLEAD_LOCK_H
#define FAIRLEAD_LOCK_H

/** Gives back whatever a core that broke has left. */
void lock_release_all(void);

#endif
