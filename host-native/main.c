/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native host's program: a CNI plugin when CNI_COMMAND is set or its base name is a CNI type.
 * The name is the type, CNI_ variables and standard input are the call, standard output and the
 * exit code the answer. It refuses the command line: that is the program beside it.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hold.h"
#include "host.h"
#include "io.h"
#include "launcher.h"
#include "netns.h"
#include "reach.h"
#include "relro.h"
#include "runtime.h"
#include "serve.h"
#include "tape.h"

#define ENVIRONMENT_LIMIT_BYTES (16u << 20)
#define ANSWER_LIMIT_BYTES (64u << 20)

extern char **environ;

static const char PREFIX[] = "CNI_";
/** "0": give up no powers; "1": system calls too, or fail (reach.h). */
static const char CONFINE[] = "FAIRLEAD_CONFINE";
/** The name of a chain in one call and of the command line. */
static const char FAIRLEAD[] = "fairlead";
static const char DHCP[] = "dhcp";
/** The Node program, beside this one. */
static const char COMMAND_LINE[] = "fairlead-cli";

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

static void say(const char *text)
{
    io_write(STDERR_FILENO, text, (uint32_t)strlen(text));
}

/** The name this was called by, without its folder. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/** The CNI_ variables, each ended by a NUL byte. */
static void collect(struct buffer *env)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, PREFIX, sizeof PREFIX - 1) != 0) continue;
        buffer_append(env, *entry, (uint32_t)strlen(*entry) + 1);
    }
}

/**
 * Becomes the command line, where it is installed; comes back when it is not. Under the name of the
 * type dhcp people start its daemon, as they did with the reference's: that name is kept.
 */
static int become_command_line(char **argv, const char *type)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    char *slash = strrchr(path, '/');
    if (slash != NULL && (size_t)(slash - path) + sizeof COMMAND_LINE < sizeof path) {
        memcpy(slash + 1, COMMAND_LINE, sizeof COMMAND_LINE);
        // By this name it knows that it is wanted as a command line.
        static char name[sizeof FAIRLEAD];
        bool daemon = strcmp(type, DHCP) == 0;
        memcpy(name, daemon ? DHCP : FAIRLEAD, daemon ? sizeof DHCP : sizeof FAIRLEAD);
        argv[0] = name;
        execv(path, argv);
    }
    say("fairlead: this is the plugin, which runtimes call with CNI_COMMAND in its environment; "
        "the command line is the program fairlead-cli, and it is not beside this one\n");
    return EXIT_USAGE;
}

/** Whether this is a call of a plugin. */
static bool is_plugin(int argc, const char *type)
{
    const char *command = getenv("CNI_COMMAND");
    if (command != NULL && command[0] != 0) return true;
    return argc < 2 && strcmp(type, FAIRLEAD) != 0;
}

/** Prints the answer; false when nobody has it. */
static bool hand_over(const struct buffer *answer)
{
    if (answer->error != 0) {
        say("fairlead: no memory for the answer\n");
        return false;
    }
    int32_t status = io_write(STDOUT_FILENO, answer->bytes, answer->length);
    if (status == 0) return true;
    say("fairlead: cannot write the answer to standard output: ");
    say(strerror(-status));
    say("\n");
    return false;
}

/** How far the call may reach: 0, or -errno when this kernel cannot do what is wanted. */
static int32_t hold_as_wanted(void)
{
    const char *wanted = getenv(CONFINE);
    if (wanted != NULL && strcmp(wanted, "0") == 0) return reach_begin(REACH_FREE);
    bool must = wanted != NULL && strcmp(wanted, "1") == 0;
    return reach_begin(must ? REACH_CONFINED : REACH_HELD);
}

int main(int argc, char **argv)
{
    static struct host host;
    static struct buffer env = {.limit = ENVIRONMENT_LIMIT_BYTES};
    static struct buffer answer = {.limit = ANSWER_LIMIT_BYTES};
    if (argc < 1) return EXIT_USAGE;
    hold_descriptors();
    if (relro_begin() < 0) {
        say("fairlead: mprotect(2) is not allowed here, and nothing runs without it\n");
        return EXIT_FAILED;
    }
    const char *type = base_name(argv[0]);
    if (!is_plugin(argc, type)) return become_command_line(argv, type);
    hold_writes();
    collect(&env);
    if (env.error != 0 || runtime_begin() != 0) {
        say("fairlead: no memory to begin with\n");
        return EXIT_FAILED;
    }
    if (hold_as_wanted() < 0) {
        say("fairlead: FAIRLEAD_CONFINE=1, and this kernel has no seccomp filters or no Landlock: "
            "unset it to have what there is\n");
        return EXIT_FAILED;
    }
    tape_begin(&host, type, &env);
    int exit_code = serve(&host, type, &env, &answer);
    bool received = hand_over(&answer);
    if (!received) {
        if (exit_code == 0) serve_unreceived(&host, type, &env);
        exit_code = EXIT_FAILED;
    }
    tape_end(exit_code, &answer, received);
    launcher_end();
    netns_end();
    return exit_code;
}
