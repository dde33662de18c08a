/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording of the call, as docs/recording.md has it and host-node/recording/ writes it too: a
 * head, a line for each operation with its outcome and time, an end. It owns the file and the ring
 * that it lies in. It refuses to fail the call: what cannot be written is said once, and missing.
 */
#ifndef FAIRLEAD_TAPE_H
#define FAIRLEAD_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

/** Whether this call is recorded. */
extern bool tape_runs;

/** Opens the recording when one is wanted: before the call gives up the power to open files. */
void tape_begin(struct host *host, const char *type, const struct buffer *env);

/**
 * The operation of a row (border.h) begins. Where it may wait, and the process be killed meanwhile,
 * what is known is written before.
 */
void tape_operation(const char *row);

/** It has ended; its arguments as the core gave them. One that never began leaves nothing. */
void tape_note(const struct host *host, const char *row, const uint32_t *raw, int32_t status);

/** The host itself has said something on standard error. */
void tape_said(const char *text, uint32_t length);

/** The call has ended. `received`: somebody has the answer. */
void tape_end(int exit_code, const struct buffer *answer, bool received);

#endif
