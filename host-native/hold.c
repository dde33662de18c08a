/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors and signals of a call (hold.h). */
#include "hold.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

void hold_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) continue;
        // The lowest number that is free is this one. Where there is no /dev, any folder does.
        if (open("/dev/null", O_RDONLY) < 0) (void)open("/", O_RDONLY | O_DIRECTORY);
    }
}

void hold_writes(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

void hold_signals(void)
{
    sigset_t held;
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGTERM);
    (void)sigaddset(&held, SIGINT);
    (void)sigaddset(&held, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &held, NULL);
}
