/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.socket_call, as the process that may do it does it. */
#ifndef FAIRLEAD_SOCKET_CALL_H
#define FAIRLEAD_SOCKET_CALL_H

#include <stdint.h>

#include "launcher.h"

/** One conversation: 0 with the answer in the slot, or -errno. */
int32_t socket_talk(struct host *host, const struct order *order);

#endif
