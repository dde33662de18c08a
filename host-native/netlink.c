/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation over one netlink socket (netlink.h). */
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "abi.gen.h"
#include "linger.h"

enum {
    /** The kernel's own limit for a part of a dump is 32 KiB. */
    REPLY_MAX_BYTES = 65536,
    /** What a socket takes in one piece is its send buffer, by default (net.core.wmem_default). */
    BATCH_MAX_BYTES = 212992,
    /** The kernel answers before send returns; this only turns a lost reply into an error. */
    REPLY_TIMEOUT_S = 5,
    /** How often the parent looks whether a child that sends for it is still there. */
    LOOK_AGAIN_MS = 100,
    /** linux/err.h MAX_ERRNO. */
    ERRNO_MAX = 4095,
    /** Begin, one, end. */
    BATCH_MIN_MESSAGES = 3,
};

static uint8_t reply_bytes_in[REPLY_MAX_BYTES];

static const char TRUNCATED[] = "malformed netlink reply";

/* Sockets */

static void set_option(int fd, int option)
{
    static const int on = 1;
    // A kernel that lacks one still answers: without texts, or with more than asked for, which
    // the parsers drop.
    (void)setsockopt(fd, SOL_NETLINK, option, &on, sizeof on);
}

int32_t netlink_open(struct netlink *netlink, struct reply *reply, int protocol)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0) return reply_fail(reply, errno, "socket");
    // Texts in errors; errors without a copy of the request; filters in dumps.
    set_option(fd, NETLINK_EXT_ACK);
    set_option(fd, NETLINK_CAP_ACK);
    set_option(fd, NETLINK_GET_STRICT_CHK);
    struct timeval timeout = {.tv_sec = REPLY_TIMEOUT_S};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    *netlink = (struct netlink){.fd = fd, .open = true};
    return 0;
}

void netlink_close(struct netlink *netlink)
{
    if (netlink->open) (void)close(netlink->fd);
    netlink->open = false;
    netlink->lingers = false;
}

/* Replies */

/**
 * The verdict of an NLMSG_ERROR or NLMSG_DONE: 0, or -errno with the kernel's extended text
 * (linux/netlink.h nlmsgerr). A DONE without a number is good.
 */
static int32_t verdict_of(struct reply *reply, const struct message *message)
{
    bool done = message->type == NLMSG_DONE;
    if (done && view_length(message->body) < sizeof(int32_t)) return 0;
    int32_t code = view_i32(message->body, 0);
    if (view_malformed || code > 0 || code < -ERRNO_MAX) {
        return reply_fail(reply, EBADMSG, TRUNCATED);
    }
    if (code == 0) return 0;
    struct span words = {"", 0};
    if ((message->flags & NLM_F_ACK_TLVS) != 0) {
        // After the number an ERROR repeats the request, only its header when it is capped.
        size_t skip = sizeof(int32_t);
        if (!done) {
            bool capped = (message->flags & NLM_F_CAPPED) != 0;
            uint32_t request_length = view_u32(message->body, skip);
            skip += capped ? sizeof(struct nlmsghdr) : ((size_t)request_length + 3) & ~(size_t)3;
        }
        struct view rest = view_from(message->body, skip);
        struct attr attr;
        while (attr_next(&rest, &attr)) {
            if (attr.type == NLMSGERR_ATTR_MSG) words = view_text(attr.value);
        }
        if (view_malformed) return reply_fail(reply, EBADMSG, TRUNCATED);
    }
    return reply_fail_words(reply, -code, words.ptr, words.len);
}

/* Exchanges */

static int32_t send_bytes(int fd, const void *bytes, size_t length)
{
    while (send(fd, bytes, length, 0) < 0) {
        if (errno != EINTR) return -errno;
    }
    return 0;
}

/**
 * The next datagram, from the kernel: its length, or -errno. 0: part of a dump was lost, and its
 * end still comes.
 */
static int32_t receive(int fd, struct reply *reply, bool dump)
{
    for (;;) {
        struct sockaddr_nl from = {0};
        socklen_t from_length = sizeof from;
        ssize_t length = recvfrom(fd, reply_bytes_in, sizeof reply_bytes_in, 0,
            (struct sockaddr *)&from, &from_length);
        if (length > 0 && from.nl_pid == 0) return (int32_t)length;
        if (length == 0) return reply_fail(reply, EBADMSG, TRUNCATED);
        if (length > 0) continue;
        if (errno == EAGAIN) return reply_fail(reply, ETIMEDOUT, "no reply from the kernel");
        if (errno == ENOBUFS && dump) return 0;
        if (errno != EINTR) return -errno;
    }
}

/** What is known of the exchange that is under way. */
struct exchange {
    uint32_t sequence;
    /** A message of this type ends it well before its verdict; 0 for none. */
    uint16_t early;
    bool ended;
    /** Whether the parts of a dump agree. */
    bool whole;
    int32_t verdict;
};

/** One datagram of replies: 0 and what it said in the exchange, or -errno when it is malformed. */
static int32_t take(struct reply *reply, uint32_t length, struct exchange *exchange, visitor *visit,
    void *context)
{
    struct view rest = {reply_bytes_in, reply_bytes_in + length};
    struct message one;
    view_malformed = false;
    while (message_next(&rest, &one)) {
        if (one.sequence != exchange->sequence || exchange->ended) continue;
        if ((one.flags & NLM_F_DUMP_INTR) != 0) exchange->whole = false;
        if (one.type == NLMSG_ERROR || one.type == NLMSG_DONE) {
            exchange->verdict = verdict_of(reply, &one);
            exchange->ended = true;
        } else if (one.type == NLMSG_OVERRUN) {
            return reply_fail(reply, ENOBUFS, "reply overrun");
        } else if (exchange->early != 0 && one.type == exchange->early) {
            exchange->ended = true;
        } else if (one.type != NLMSG_NOOP && visit != NULL) {
            visit(reply, &one, context);
        }
    }
    return view_malformed ? reply_fail(reply, EBADMSG, TRUNCATED) : 0;
}

/** All replies to a request that was sent: its verdict. `whole` tells whether they agree. */
static int32_t replies(struct netlink *netlink, struct reply *reply, bool dump,
    struct exchange *exchange, visitor *visit, void *context)
{
    exchange->whole = true;
    while (!exchange->ended) {
        int32_t length = receive(netlink->fd, reply, dump);
        if (length < 0) return length;
        if (length == 0) {
            exchange->whole = false;
            continue;
        }
        int32_t status = take(reply, (uint32_t)length, exchange, visit, context);
        if (status < 0) return status;
    }
    netlink->broken = false;
    return exchange->verdict;
}

static int32_t perform(struct netlink *netlink, struct reply *reply, struct request *request,
    bool dump, bool *whole, visitor *visit, void *context)
{
    int32_t status = request_seal(reply, request);
    if (status < 0) return status;
    // Unless the end is seen replies are left behind.
    netlink->broken = true;
    status = send_bytes(netlink->fd, request->bytes, request->length);
    if (status < 0) return status;
    struct exchange exchange = {.sequence = request_last_sequence()};
    status = replies(netlink, reply, dump, &exchange, visit, context);
    *whole = exchange.whole;
    return status;
}

int32_t netlink_get(struct netlink *netlink, struct reply *reply, struct request *request,
    visitor *visit, void *context)
{
    bool whole;
    return perform(netlink, reply, request, false, &whole, visit, context);
}

int32_t netlink_run(struct netlink *netlink, struct reply *reply, struct request *request)
{
    return netlink_get(netlink, reply, request, NULL, NULL);
}

int32_t netlink_dump(struct netlink *netlink, struct reply *reply, struct request *request,
    visitor *visit, forgetter *forget, void *context)
{
    uint32_t before = reply->buffer.length;
    for (int tries = 0; tries < DUMP_TRIES; tries++) {
        bool whole = false;
        reply->buffer.length = before;
        if (forget != NULL) forget(context);
        int32_t status = perform(netlink, reply, request, true, &whole, visit, context);
        if (status < 0 || whole) return status;
    }
    return reply_fail(reply, EINTR, "the list changed while it was read, %d times", DUMP_TRIES);
}

int32_t netlink_list(struct netlink *netlink, struct reply *reply, struct request *request,
    visitor *visit, void *context)
{
    reply_list(reply);
    int32_t status = netlink_dump(netlink, reply, request, visit, NULL, context);
    if (status < 0) return status;
    reply_list_end(reply);
    return reply_end(reply);
}

/** Waits for a reply to what a child sends; false when it ended without one having come. */
static bool await(int fd, pid_t child)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    for (;;) {
        bool alive = linger_alive(child);
        // The order counts: what a child that is gone now has caused lies there by now.
        int ready = poll(&one, 1, alive ? LOOK_AGAIN_MS : 0);
        if (ready > 0) return true;
        if (ready == 0 && !alive) return false;
    }
}

int32_t netlink_run_early(struct netlink *netlink, struct reply *reply, struct request *request,
    uint16_t done)
{
    struct nlmsghdr header;
    memcpy(&header, request->bytes, sizeof header);
    header.nlmsg_flags |= NLM_F_ECHO;
    memcpy(request->bytes, &header, sizeof header);
    int32_t status = request_seal(reply, request);
    if (status < 0) return status;
    pid_t child = linger_send(netlink->fd, request->bytes, request->length);
    if (child < 0) return netlink_run(netlink, reply, request);
    netlink->broken = true;
    struct exchange exchange = {.sequence = request_last_sequence(), .early = done};
    while (!exchange.ended) {
        // Killed before it could: the kernel tells whether there is something left to do.
        if (!await(netlink->fd, child)) return netlink_run(netlink, reply, request);
        int32_t length = receive(netlink->fd, reply, false);
        if (length < 0) return length;
        status = take(reply, (uint32_t)length, &exchange, NULL, NULL);
        if (status < 0) return status;
    }
    // The verdict on what is done still comes: it bears an old number.
    netlink->broken = false;
    return exchange.verdict;
}

/* Batches */

static uint8_t batch_bytes[BATCH_MAX_BYTES];

bool netlink_batch_has(struct span batch, bool (*such)(uint16_t type))
{
    const uint8_t *bytes = (const uint8_t *)batch.ptr;
    struct view rest = {bytes, bytes + batch.len};
    struct message one;
    view_malformed = false;
    while (message_next(&rest, &one)) {
        if (such(one.type)) return true;
    }
    return false;
}

/** Copies a batch with sequence numbers of its own: the number of its messages, or -errno. */
static int32_t number(struct reply *reply, struct span batch)
{
    if (batch.len > sizeof batch_bytes) return -EMSGSIZE;
    memcpy(batch_bytes, batch.ptr, batch.len);
    struct view rest = {batch_bytes, batch_bytes + batch.len};
    int32_t count = 0;
    view_malformed = batch.len == 0;
    for (;;) {
        uint8_t *at = batch_bytes + (rest.at - batch_bytes);
        struct message one;
        if (!message_next(&rest, &one)) break;
        uint32_t sequence = request_sequence();
        memcpy(at + offsetof(struct nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
        count++;
    }
    if (view_malformed) return reply_fail(reply, EBADMSG, TRUNCATED);
    if (count < BATCH_MIN_MESSAGES) return reply_fail(reply, EINVAL, "a batch of nothing");
    return count;
}

/** What is known of the batch under way. */
struct transaction {
    uint32_t first;
    uint32_t last;
    int32_t failure;
    /** The kernel refused the batch as a whole, and maybe nothing follows. */
    bool refused;
    bool ended;
};

static void take_verdict(struct reply *reply, const struct message *one, struct transaction *batch)
{
    uint32_t place = one->sequence - batch->first;
    if (one->type != NLMSG_ERROR || place > batch->last - batch->first) return;
    // The words of the first error stay in the slot.
    if (batch->failure == 0) batch->failure = verdict_of(reply, one);
    if (place == 0) batch->refused = true;
    if (batch->refused || one->sequence == batch->last) batch->ended = true;
}

int32_t netlink_transact(struct netlink *netlink, struct reply *reply, struct span messages)
{
    int32_t count = number(reply, messages);
    if (count < 0) return count;
    netlink->broken = true;
    int32_t status = send_bytes(netlink->fd, batch_bytes, messages.len);
    if (status < 0) return status;
    struct transaction batch = {
        .first = request_last_sequence() - (uint32_t)count + 1,
        .last = request_last_sequence() - 1,
    };
    while (!batch.ended) {
        int32_t length = receive(netlink->fd, reply, false);
        if (length < 0) return length;
        struct view rest = {reply_bytes_in, reply_bytes_in + length};
        struct message one;
        view_malformed = false;
        while (message_next(&rest, &one)) take_verdict(reply, &one, &batch);
        if (view_malformed) return reply_fail(reply, EBADMSG, TRUNCATED);
    }
    netlink->broken = batch.refused;
    return batch.failure;
}
