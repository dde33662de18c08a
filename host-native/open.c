/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open(2) in one system call: the C library's has a second one for O_CLOEXEC, for kernels that do
 * not know it. It refuses nothing that openat does not.
 */
#include <fcntl.h>
#include <stdarg.h>

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return openat(AT_FDCWD, path, flags, mode);
}
