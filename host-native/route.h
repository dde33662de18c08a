/* SPDX-License-Identifier: Apache-2.0 */
/* What the operations on routes share: parts of a request. It refuses to know one of them. */
#ifndef FAIRLEAD_ROUTE_H
#define FAIRLEAD_ROUTE_H

#include <linux/rtnetlink.h>
#include <stdint.h>

#include "ip.h"
#include "request.h"

/** struct rtmsg with a table; one beyond its byte goes into RTA_TABLE, which the caller adds. */
void request_rtmsg(struct request *request, const struct rtmsg *body, uint32_t table);

void request_ip(struct request *request, uint16_t type, const struct ip *ip);

#endif
