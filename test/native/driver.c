/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of the native host for tests, without a core: a request a time from one fifo, its
 * status and the reply slot to another. The generated `perform` (native-driver.ts) is the glue; it
 * refuses to know what an operation means.
 *
 * A request is its length, then the operation's name and a NUL, then its arguments in order: a
 * number, or a length and as many bytes. An answer is the status, a length, and as many bytes.
 *
 * The program is linked with --wrap for what talks to the kernel, so that a test can put its own
 * replies in the kernel's place, see what was sent, and have a child die. Requests for that:
 * `script` (the datagrams to receive, each after its length; MARK in them becomes the number of
 * the request; a length below 0 is minus an errno), `real`, `sent`, `received`, `lose_home`,
 * `doom_children`.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver.h"
#include "netns.h"

enum { ASKED_MAX_BYTES = 1 << 22, FDS_MAX = 64 };

static void fail(const char *what)
{
    perror(what);
    exit(3);
}

/** MARK stands for the number of the last message sent, MARK - 1 for the one before, … */
static const uint32_t MARK = 0x5e9e5e9e;
static const uint32_t MARKS = 4;

/** Datagrams, each after its length. */
struct tape {
    char bytes[1 << 21];
    uint32_t length;
    uint32_t at;
};

static struct tape script;
static struct tape sent;
static struct tape received;
static bool scripted;
static bool doomed;
static pid_t parent;

static void record(struct tape *tape, const void *bytes, uint32_t length)
{
    if (sizeof tape->bytes - tape->length < sizeof length + length) return;
    memcpy(tape->bytes + tape->length, &length, sizeof length);
    memcpy(tape->bytes + tape->length + sizeof length, bytes, length);
    tape->length += (uint32_t)sizeof length + length;
}

ssize_t __real_send(int fd, const void *bytes, size_t length, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t length, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t length, int flags)
{
    if (doomed && getpid() != parent) raise(SIGKILL);
    record(&sent, bytes, (uint32_t)length);
    return scripted ? (ssize_t)length : __real_send(fd, bytes, length, flags);
}

/** The number of the last message of the last datagram that was sent. */
static uint32_t last_sequence(void)
{
    uint32_t sequence = 0;
    for (uint32_t at = 0; at < sent.length;) {
        uint32_t length;
        memcpy(&length, sent.bytes + at, sizeof length);
        at += (uint32_t)sizeof length;
        for (uint32_t end = at + length; at < end;) {
            struct nlmsghdr header;
            memcpy(&header, sent.bytes + at, sizeof header);
            sequence = header.nlmsg_seq;
            at += NLMSG_ALIGN(header.nlmsg_len);
        }
    }
    return sequence;
}

/** The next datagram of the script; EAGAIN when there is none, which is the end of a wait. */
static ssize_t next_of_script(void *into, size_t size)
{
    uint32_t length;
    if (script.at + sizeof length > script.length) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(&length, script.bytes + script.at, sizeof length);
    script.at += (uint32_t)sizeof length;
    if ((int32_t)length < 0) {
        errno = -(int32_t)length;
        return -1;
    }
    const char *from = script.bytes + script.at;
    script.at += length;
    if (length > size) length = (uint32_t)size;
    memcpy(into, from, length);
    uint32_t sequence = last_sequence();
    for (uint32_t at = 0; at + 4 <= length; at += 4) {
        uint32_t word;
        memcpy(&word, (char *)into + at, sizeof word);
        if (MARK - word >= MARKS) continue;
        word = sequence - (MARK - word);
        memcpy((char *)into + at, &word, sizeof word);
    }
    return (ssize_t)length;
}

ssize_t __real_recvfrom(int fd, void *into, size_t size, int flags, struct sockaddr *from,
    socklen_t *from_length);
ssize_t __wrap_recvfrom(int fd, void *into, size_t size, int flags, struct sockaddr *from,
    socklen_t *from_length);
ssize_t __wrap_recvfrom(int fd, void *into, size_t size, int flags, struct sockaddr *from,
    socklen_t *from_length)
{
    if (scripted) return next_of_script(into, size);
    ssize_t length = __real_recvfrom(fd, into, size, flags, from, from_length);
    if (length > 0) record(&received, into, (uint32_t)length);
    return length;
}

int32_t argument_i32(struct arguments *arguments)
{
    int32_t value = 0;
    if ((size_t)(arguments->end - arguments->at) < sizeof value) abort();
    memcpy(&value, arguments->at, sizeof value);
    arguments->at += sizeof value;
    return value;
}

struct span argument_span(struct arguments *arguments)
{
    uint32_t length = (uint32_t)argument_i32(arguments);
    if ((size_t)(arguments->end - arguments->at) < length) abort();
    // Of its own size, so that AddressSanitizer sees a read beyond it.
    char *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL) abort();
    memcpy(copy, arguments->at, length);
    arguments->at += length;
    arguments->copies[arguments->count++] = copy;
    return (struct span){copy, length};
}

/** Puts a plain file where the descriptor of the process's own namespace is. */
static void lose_home(void)
{
    struct stat own;
    if (stat("/proc/thread-self/ns/net", &own) < 0) fail("stat");
    int file = open("/dev/null", O_RDONLY);
    for (int fd = 0; fd < FDS_MAX; fd++) {
        struct stat one;
        if (fstat(fd, &one) < 0) continue;
        if (one.st_dev == own.st_dev && one.st_ino == own.st_ino) dup2(file, fd);
    }
}

/** A request to this program itself: whether it is one. */
static bool direct(struct host *host, const char *name, struct arguments *arguments)
{
    struct reply *reply = &host->reply;
    if (strcmp(name, "sent") == 0) {
        reply_bytes(reply, sent.bytes, sent.length);
    } else if (strcmp(name, "received") == 0) {
        reply_bytes(reply, received.bytes, received.length);
    } else if (strcmp(name, "script") == 0) {
        struct span span = argument_span(arguments);
        if (span.len > sizeof script.bytes) abort();
        memcpy(script.bytes, span.ptr, span.len);
        script.length = span.len;
        script.at = 0;
        scripted = true;
    } else if (strcmp(name, "real") == 0) {
        scripted = false;
    } else if (strcmp(name, "doom_children") == 0) {
        doomed = true;
    } else if (strcmp(name, "lose_home") == 0) {
        lose_home();
    } else {
        return false;
    }
    if (strcmp(name, "sent") != 0 && strcmp(name, "received") != 0) {
        sent.length = 0;
        received.length = 0;
    }
    return true;
}

/** Reads all of it; false at the end of the fifo. */
static bool read_all(int fd, void *into, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t count = read(fd, (char *)into + at, length - at);
        if (count < 0) fail("read");
        if (count == 0) return false;
        at += (size_t)count;
    }
    return true;
}

static void write_all(int fd, const void *from, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t count = write(fd, (const char *)from + at, length - at);
        if (count < 0) fail("write");
        at += (size_t)count;
    }
}

int main(int argc, char **argv)
{
    static struct host host;
    static char request[ASKED_MAX_BYTES];
    if (argc != 3) return 2;
    int requests = open(argv[1], O_RDONLY | O_CLOEXEC);
    int answers = open(argv[2], O_WRONLY | O_CLOEXEC);
    if (requests < 0 || answers < 0) fail("open");
    parent = getpid();
    uint32_t length;
    while (read_all(requests, &length, sizeof length)) {
        if (length > sizeof request || !read_all(requests, request, length)) return 2;
        size_t name = strnlen(request, length);
        if (name == length) return 2;
        struct arguments arguments = {.at = request + name + 1, .end = request + length};
        reply_begin(&host.reply);
        int32_t status = 0;
        if (!direct(&host, request, &arguments)) status = perform(&host, request, &arguments);
        for (int at = 0; at < arguments.count; at++) free(arguments.copies[at]);
        if (status < 0 && !host.reply.words) reply_begin(&host.reply);
        uint32_t shown_length;
        const char *shown = reply_shown(&host.reply, &shown_length);
        write_all(answers, &status, sizeof status);
        write_all(answers, &shown_length, sizeof shown_length);
        write_all(answers, shown, shown_length);
    }
    netns_end();
    return 0;
}
