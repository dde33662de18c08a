/*
 * The native host's program: a CNI plugin, and nothing else. The name it is called by is the type,
 * CNI_ variables and standard input are the call, standard output and the exit code the answer. It
 * refuses the command line, which is the Node program's.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "io.h"
#include "netns.h"
#include "runtime.h"
#include "serve.h"

#define ENVIRONMENT_LIMIT_BYTES (16u << 20)
#define ANSWER_LIMIT_BYTES (64u << 20)

extern char **environ;

static const char PREFIX[] = "CNI_";
static const char USAGE[] =
    "fairlead: this is the plugin; the command line is the program fairlead-cli\n";

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

int main(int argc, char **argv)
{
    static struct host host;
    static struct buffer env = {.limit = ENVIRONMENT_LIMIT_BYTES};
    static struct buffer answer = {.limit = ANSWER_LIMIT_BYTES};
    if (argc > 1 && getenv("CNI_COMMAND") == NULL) {
        say(USAGE);
        return 2;
    }
    // A reader that is gone is told by EPIPE.
    signal(SIGPIPE, SIG_IGN);
    collect(&env);
    if (env.error != 0 || runtime_begin() != 0) {
        say("fairlead: no memory to begin with\n");
        return 1;
    }
    int exit_code = serve(&host, argc > 0 ? base_name(argv[0]) : "", &env, &answer);
    if (answer.error != 0) {
        say("fairlead: no memory for the answer\n");
        return 1;
    }
    io_write(STDOUT_FILENO, answer.bytes, answer.length);
    netns_end();
    return exit_code;
}
