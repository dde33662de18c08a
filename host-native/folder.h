/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of the store operations. */
#ifndef FAIRLEAD_FOLDER_H
#define FAIRLEAD_FOLDER_H

#include <stdint.h>

#include "path.h"

/** Makes a folder (mode 0755) and those above it; one that is there is fine. 0 or -errno. */
int32_t folder_make(const struct path *dir);

#endif
