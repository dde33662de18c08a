/*
 * The operations of the native host for tests, without a core: a request a time from one fifo, its
 * status and the reply slot to another. The generated `perform` (native-driver.ts) is the glue; it
 * refuses to know what an operation means.
 *
 * A request is its length, then the operation's name and a NUL, then its arguments in order: a
 * number, or a length and as many bytes. An answer is the status, a length, and as many bytes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver.h"
#include "netns.h"

enum { REQUEST_MAX_BYTES = 1 << 20, FDS_MAX = 64 };

static void fail(const char *what)
{
    perror(what);
    exit(3);
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

int main(int argc, char **argv)
{
    static struct host host;
    static char request[REQUEST_MAX_BYTES];
    if (argc != 3) return 2;
    int requests = open(argv[1], O_RDONLY | O_CLOEXEC);
    int answers = open(argv[2], O_WRONLY | O_CLOEXEC);
    if (requests < 0 || answers < 0) fail("open");
    uint32_t length;
    while (read_all(requests, &length, sizeof length)) {
        if (length > sizeof request || !read_all(requests, request, length)) return 2;
        size_t name = strnlen(request, length);
        if (name == length) return 2;
        struct arguments arguments = {.at = request + name + 1, .end = request + length};
        reply_begin(&host.reply);
        if (strcmp(request, "lose_home") == 0) lose_home();
        int32_t status = perform(&host, request, &arguments);
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
