/*
 * Operations that are written here before host-node/abi.ts has them: abi.h declares each as soon
 * as it does, in the same words, and its line here goes.
 */
#ifndef FAIRLEAD_COMING_H
#define FAIRLEAD_COMING_H

#include "host.h"

int32_t kernel_conntrack_del(struct host *host, int32_t ns, int32_t family, int32_t protocol,
    struct span dst, int32_t dport, int32_t dport_end, struct span reply_src);

#endif
