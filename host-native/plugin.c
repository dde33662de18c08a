/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin.exec: a foreign plugin from its start to its end, with bounds on time and output. It
 * refuses to read what a plugin says.
 */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi.gen.h"
#include "io.h"
#include "launcher.h"
#include "path.h"
#include "reach.h"
#include "shapes.gen.h"
#include "socket-call.h"
#include "text.h"

#define CHUNK_BYTES 65536u

extern char **environ;

/** A program that runs, and this end of its pipes: -1 once closed. */
struct child {
    pid_t pid;
    int in;
    int out;
    int err;
};

/** What it printed. */
struct output {
    struct buffer out;
    struct buffer err;
};

static void close_pipe(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/** Whether an entry of an environment has the name that `entry` (NAME=value) starts with. */
static bool same_name(const char *left, const char *right)
{
    size_t length = strcspn(right, "=");
    return strncmp(left, right, length) == 0 && left[length] == '=';
}

/**
 * Our environment with a block of NAME=value, each ended by a NUL byte, over it; to be freed. NULL
 * without memory.
 */
static char **environment(struct span block)
{
    size_t count = 1;
    for (char **entry = environ; *entry != NULL; entry++) count++;
    for (uint32_t i = 0; i < block.len; i++) count += block.ptr[i] == 0;
    char **made = calloc(count, sizeof *made);
    if (made == NULL) return NULL;
    size_t used = 0;
    for (char **entry = environ; *entry != NULL; entry++) made[used++] = *entry;
    const char *end = block.ptr + block.len;
    for (const char *at = block.ptr; at < end;) {
        const char *stop = memchr(at, 0, (size_t)(end - at));
        if (stop == NULL) break;
        if (strchr(at, '=') != NULL) {
            size_t place = 0;
            while (place < used && !same_name(made[place], at)) place++;
            made[place] = (char *)(uintptr_t)at;
            if (place == used) used++;
        }
        at = stop + 1;
    }
    return made;
}

/** In the child: becomes the program, or tells `report` the errno. */
_Noreturn static void become(const char *path, char **env, const int pipes[3], int report)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    char *argv[] = {(char *)(uintptr_t)path, NULL};
    for (int fd = 0; fd < 3; fd++) {
        if (dup2(pipes[fd], fd) < 0) _exit(127);
    }
    execve(path, argv, env);
    int32_t error = errno;
    io_write(report, &error, sizeof error);
    _exit(127);
}

/** A pipe whose ends are not below 3, so that no dup2 of the child hits them. */
static int32_t make_pipe(int ends[2])
{
    int made[2];
    if (pipe2(made, O_CLOEXEC) != 0) return -errno;
    int32_t status = 0;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(made[i], F_DUPFD_CLOEXEC, 3);
        if (ends[i] < 0) status = -errno;
        close(made[i]);
    }
    return status;
}

/** Starts the program: 0 or -errno. */
static int32_t start(const char *path, char **env, struct child *child)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, report[2] = {-1, -1};
    int32_t status = make_pipe(in);
    if (status == 0) status = make_pipe(out);
    if (status == 0) status = make_pipe(err);
    if (status == 0) status = make_pipe(report);
    if (status == 0) {
        child->pid = fork();
        if (child->pid < 0) status = -errno;
        if (child->pid == 0) become(path, env, (const int[3]){in[0], out[1], err[1]}, report[1]);
    }
    close_pipe(&in[0]);
    close_pipe(&out[1]);
    close_pipe(&err[1]);
    close_pipe(&report[1]);
    if (status == 0) {
        // Closed by execve when that succeeds.
        int32_t error;
        ssize_t count = read(report[0], &error, sizeof error);
        if (count == (ssize_t)sizeof error) {
            waitpid(child->pid, NULL, 0);
            status = -error;
        }
    }
    close_pipe(&report[0]);
    child->in = in[1];
    child->out = out[0];
    child->err = err[0];
    if (status < 0) {
        close_pipe(&child->in);
        close_pipe(&child->out);
        close_pipe(&child->err);
        return status;
    }
    for (int i = 0; i < 3; i++) {
        int fd = (const int[3]){child->in, child->out, child->err}[i];
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return 0;
}

/** Writes as much as the pipe takes; a program need not read its standard input. */
static void feed(struct child *child, struct span *rest)
{
    ssize_t count = rest->len == 0 ? 0 : write(child->in, rest->ptr, rest->len);
    if (count > 0) {
        rest->ptr += count;
        rest->len -= (uint32_t)count;
    }
    bool over = count < 0 && errno != EAGAIN && errno != EINTR;
    if (over || rest->len == 0) close_pipe(&child->in);
}

/** Reads what a pipe has; closes it at its end. 0 or -errno. */
static int32_t drain(int *fd, struct buffer *into)
{
    int32_t count = io_read(*fd, into);
    if (count <= 0) close_pipe(fd);
    return count < 0 ? count : 0;
}

/** Talks to the program until it has closed its output: 0 or -errno. */
static int32_t talk(struct child *child, struct span input, uint64_t deadline_ms,
    struct output *output)
{
    feed(child, &input);
    while (child->out >= 0 || child->err >= 0) {
        uint64_t now_ms = io_now_ms();
        if (now_ms >= deadline_ms) return -ETIMEDOUT;
        struct pollfd polled[3] = {
            {.fd = child->in, .events = POLLOUT},
            {.fd = child->out, .events = POLLIN},
            {.fd = child->err, .events = POLLIN},
        };
        if (poll(polled, 3, (int)(deadline_ms - now_ms)) < 0 && errno != EINTR) return -errno;
        if (polled[0].revents != 0) feed(child, &input);
        int32_t status = 0;
        if (polled[1].revents != 0) status = drain(&child->out, &output->out);
        if (status == 0 && polled[2].revents != 0) status = drain(&child->err, &output->err);
        if (status < 0) return status;
    }
    return 0;
}

/** Waits for the end of the program: 0 or -ETIMEDOUT. SIGCHLD is blocked. */
static int32_t reap(pid_t pid, uint64_t deadline_ms, int *ended)
{
    sigset_t child_ended;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    while (waitpid(pid, ended, WNOHANG) != pid) {
        uint64_t now_ms = io_now_ms();
        if (now_ms >= deadline_ms) return -ETIMEDOUT;
        uint64_t left_ms = deadline_ms - now_ms;
        struct timespec left = {.tv_sec = (time_t)(left_ms / 1000)};
        left.tv_nsec = (long)(left_ms % 1000) * 1000000;
        sigtimedwait(&child_ended, NULL, &left);
    }
    return 0;
}

/** The name of a signal, as the shell knows it. */
static const char *signal_name(int number)
{
    static const char names[][10] = {"", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP",
        "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE",
        "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
        "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",
        "SIGPWR", "SIGSYS"};
    bool known = number > 0 && (size_t)number < sizeof names / sizeof *names;
    return known ? names[number] : "a real-time signal";
}

/** Why a program could not be run, in the words that the errno has. */
static int32_t failed(struct reply *reply, int32_t error)
{
    if (error == EFBIG) return reply_fail(reply, EFBIG, "more than %d bytes of output",
        OUTPUT_MAX_BYTES);
    if (error == ENOENT || error == EACCES || error == ETIMEDOUT) {
        return reply_fail(reply, error, "%s", strerror(error));
    }
    return reply_fail(reply, EIO, "%s", strerror(error));
}

static int32_t answer(struct reply *reply, int ended, const struct output *output)
{
    bool killed = WIFSIGNALED(ended);
    struct ended_shape told = {
        .exit_code = killed ? -1 : WEXITSTATUS(ended),
        .signal = span_of(killed ? signal_name(WTERMSIG(ended)) : ""),
        .stdout_ = {output->out.bytes, output->out.length},
        .stderr_ = {output->err.bytes, output->err.length},
    };
    write_ended(reply, &told);
    return reply_end(reply);
}

/** Starts the program, again while it is being written. */
static int32_t start_patiently(const char *path, struct span env, struct child *child)
{
    char **made = environment(env);
    if (made == NULL) return -ENOMEM;
    int32_t status = start(path, made, child);
    for (int tries = 1; status == -ETXTBSY && tries < BUSY_TRIES; tries++) {
        io_sleep(BUSY_PAUSE_MS);
        status = start(path, made, child);
    }
    free(made);
    return status;
}

static int32_t refused(struct host *host)
{
    return reply_fail(&host->reply, EPERM, "not a program that this call may execute");
}

/** Executes it as a child of this process. */
static int32_t execute(struct host *host, const struct order *order)
{
    static struct output output = {{.limit = OUTPUT_MAX_BYTES}, {.limit = OUTPUT_MAX_BYTES}};
    static struct path program;
    buffer_clear(&output.out);
    buffer_clear(&output.err);
    if (!span_copy(order->path, program.text, PATH_MAX)) return failed(&host->reply, ENOENT);
    sigset_t child_ended, before;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ended, &before);
    struct child child;
    int32_t status = start_patiently(program.text, order->env, &child);
    if (status == 0) {
        int ended = 0;
        uint64_t limit_ms = order->timeout_ms > 0 ? (uint64_t)order->timeout_ms : 0;
        uint64_t deadline_ms = io_now_ms() + limit_ms;
        status = talk(&child, order->input, deadline_ms, &output);
        if (status == 0) status = reap(child.pid, deadline_ms, &ended);
        if (status < 0) {
            kill(child.pid, SIGKILL);
            waitpid(child.pid, NULL, 0);
        }
        close_pipe(&child.in);
        close_pipe(&child.out);
        close_pipe(&child.err);
        if (status == 0) {
            // Its words for humans go where ours go.
            io_write(STDERR_FILENO, output.err.bytes, output.err.length);
            status = answer(&host->reply, ended, &output);
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status < 0 && !host->reply.words ? failed(&host->reply, -status) : status;
}

/** The same for another process, which need not be what it was. */
static int32_t execute_checked(struct host *host, const struct order *order)
{
    if (order->call) {
        return reach_may_call(order->path) ? socket_talk(host, order) : refused(host);
    }
    return reach_may_execute(order->path, order->env) ? execute(host, order) : refused(host);
}

int32_t plugin_begin_launcher(void)
{
    return launcher_begin(execute_checked);
}

int32_t plugin_exec(struct host *host, struct span path, struct span env, struct span input,
    int32_t timeout_ms)
{
    struct order order = {path, env, input, timeout_ms, false};
    if (!reach_may_execute(path, env)) return refused(host);
    return launcher_is_there() ? launcher_ask(host, &order) : execute(host, &order);
}

int32_t plugin_socket_call(struct host *host, struct span path, struct span opening,
    struct span request, int32_t timeout_ms)
{
    struct order order = {path, opening, request, timeout_ms, true};
    if (!reach_may_call(path)) return refused(host);
    return launcher_is_there() ? launcher_ask(host, &order) : socket_talk(host, &order);
}
