/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stars in the place of secrets, each as long as it was: of values in JSON whose names look like
 * those of secrets, also in JSON within JSON, and of CNI_ARGS. host-node/recording/secrets.ts does
 * the same to the byte. It refuses to find a secret by what it says.
 */
#ifndef FAIRLEAD_SECRETS_H
#define FAIRLEAD_SECRETS_H

#include <stdint.h>

#include "reply.h"

/**
 * What was found stands elsewhere too, without its name: in a text of an error, say. Overwrites it
 * there; what is shorter than 8 bytes, or was written with escapes, is known by its name alone.
 */
void secrets_again(char *text, uint32_t length);

/** Overwrites the secrets of text that may hold JSON; adds their names to the open list `names`. */
void secrets_json(char *text, uint32_t length, struct reply *names);

/** The same in KEY=VALUE;KEY=VALUE, each text of a block ended by a NUL byte. */
void secrets_pairs(char *text, uint32_t length, struct reply *names);

#endif
