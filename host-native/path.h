/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of the store operations. It refuses relative ones and "..": a path says plainly where it
 * leads.
 */
#ifndef FAIRLEAD_PATH_H
#define FAIRLEAD_PATH_H

#include <limits.h>
#include <stdint.h>

#include "host.h"

/** Every name this host makes up starts so; no lease does. */
#define TEMPORARY_PREFIX ".fairlead-"

/** A NUL-terminated path, with room for a temporary name beside it. */
struct path {
    char text[PATH_MAX + 128];
};

/**
 * The path of a span: 0, -EINVAL unless it is absolute and without "..", -ENAMETOOLONG when no
 * system call would take it.
 */
int32_t path_resolve(struct host *host, struct span span, struct path *into);

/** As path_resolve, and -EPERM for one that this call may not write to (reach.h). */
int32_t path_to_write(struct host *host, struct span span, struct path *into);

/** Appends "/name" to the path of a folder: 0 or -ENAMETOOLONG. */
int32_t path_join(const struct path *folder, const char *name, struct path *into);

#endif
