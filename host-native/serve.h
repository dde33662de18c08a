/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command served by a fresh instance of the core, and what happens when the core itself breaks.
 * It never looks inside a configuration.
 */
#ifndef FAIRLEAD_SERVE_H
#define FAIRLEAD_SERVE_H

#include <stdint.h>

#include "buffer.h"
#include "host.h"

/**
 * Serves one command: `type` is the CNI type, `env` NAME=value texts, each ended by a NUL byte.
 * What belongs on standard output is put into `answer`; gives the exit code. A core that panics or
 * traps is a bug: what it may have made is taken away by a DEL in a fresh instance, and the answer
 * is CNI error 999 with the place.
 */
int serve(struct host *host, const char *type, const struct buffer *env, struct buffer *answer);

/**
 * After a command that succeeded and whose answer reached nobody: an ADD without a result is
 * none, so what it made is taken away by a DEL in a fresh instance, whose error is told on
 * standard error, and in the recording.
 */
void serve_unreceived(struct host *host, const char *type, const struct buffer *env);

#endif
