/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to the kernel over netlink under construction: values in, bytes out. It refuses to
 * touch a socket (netlink.h). Numbers are little-endian, as on both machines it ships for.
 */
#ifndef FAIRLEAD_REQUEST_H
#define FAIRLEAD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

enum { REQUEST_MAX_BYTES = 4096 };

/** In the buffer that all requests share. */
struct request {
    uint32_t length;
    bool overflow;
    uint8_t bytes[REQUEST_MAX_BYTES];
};

/** Begins an acknowledged request; NLM_F_REQUEST and NLM_F_ACK are added. */
struct request *request_command(uint16_t type, uint16_t flags);
/** Begins a dump. */
struct request *request_dump(uint16_t type);
/** Appends a header or a value as it is. What does not fit makes the request fail: EMSGSIZE. */
void request_append(struct request *request, const void *bytes, uint32_t length);
void request_attr(struct request *request, uint16_t type, const void *bytes, uint32_t length);
void request_u8(struct request *request, uint16_t type, uint8_t value);
void request_u32(struct request *request, uint16_t type, uint32_t value);
/** A NUL-terminated string. */
void request_text(struct request *request, uint16_t type, struct span text);
/** Opens an attribute that holds others; give the result to request_end. */
uint32_t request_nest(struct request *request, uint16_t type);
/** The same without NLA_F_NESTED, for what is not made of attributes only. */
uint32_t request_plain(struct request *request, uint16_t type);
/** Closes what request_nest or request_plain opened, padded to four bytes. */
void request_end(struct request *request, uint32_t start);

/** Gives a request its length and sequence number: 0, or -EMSGSIZE. */
int32_t request_seal(struct reply *reply, struct request *request);

/** The next sequence number; of all sockets, as NLM_F_ECHO may bring one's replies to another. */
uint32_t request_sequence(void);

/** The sequence number of the request that was sealed last. */
uint32_t request_last_sequence(void);

#endif
