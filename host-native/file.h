/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the store operations. */
#ifndef FAIRLEAD_FILE_H
#define FAIRLEAD_FILE_H

#include <stdint.h>

#include "buffer.h"

/**
 * Reads a regular file whole, by its name in an open folder (or by its path, with AT_FDCWD), into
 * a buffer whose own limit is above `limit_bytes`: 0, -EFBIG when the file is longer, or -errno.
 */
int32_t file_content(int folder, const char *name, uint32_t limit_bytes, struct buffer *into);

#endif
