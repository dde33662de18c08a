/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock (landlock.h): the rights of Linux 5.13, and what later kernels added for writing. */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "folder.h"
#include "path.h"

// Later than the headers of some machines that this is built on.
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

enum { VERSION_REFER = 2, VERSION_TRUNCATE = 3 };

static const char SYSCTLS[] = "/proc/sys/net";
/** The folder of the device that makes taps, and of no other. */
static const char TUN[] = "/dev/net";

/** Executing, and changing files and folders. */
static const uint64_t FIRST_RIGHTS = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

/** Of a folder: regular files in it, and folders. */
static const uint64_t FOLDER_RIGHTS = LANDLOCK_ACCESS_FS_WRITE_FILE |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_TRUNCATE;

/** The version of the kernel's interface, from 1; below that there is none. */
static long version(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
}

bool landlock_is_there(void)
{
    return version() >= 1;
}

/** Adds a folder: false when it cannot be opened. */
static bool allow(const struct landlock *held, const char *folder, uint64_t rights)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights & held->rights};
    beneath.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (beneath.parent_fd < 0) return false;
    (void)syscall(SYS_landlock_add_rule, held->fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    (void)close(beneath.parent_fd);
    return true;
}

int32_t landlock_open(struct landlock *held)
{
    long found = version();
    held->rights = FIRST_RIGHTS;
    if (found >= VERSION_REFER) held->rights |= LANDLOCK_ACCESS_FS_REFER;
    if (found >= VERSION_TRUNCATE) held->rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    struct landlock_ruleset_attr attr = {.handled_access_fs = held->rights};
    // The size of what the first version knew: later members would be 0.
    held->fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0);
    if (held->fd < 0) return -errno;
    (void)allow(held, SYSCTLS, LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE);
    (void)allow(held, TUN, LANDLOCK_ACCESS_FS_WRITE_FILE);
    return 0;
}

void landlock_allow(struct landlock *held, const char *folder, bool make)
{
    struct path path;
    if (allow(held, folder, FOLDER_RIGHTS)) return;
    if (!make || errno != ENOENT || strlen(folder) >= PATH_MAX) return;
    strcpy(path.text, folder);
    // What keeps it from being made the operation that needs it will say.
    if (folder_make(&path) == 0) (void)allow(held, folder, FOLDER_RIGHTS);
}

int32_t landlock_close(struct landlock *held)
{
    int32_t status = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
    if (status == 0 && syscall(SYS_landlock_restrict_self, held->fd, 0) != 0) status = -errno;
    (void)landlock_forget(held);
    return status;
}

int32_t landlock_forget(struct landlock *held)
{
    (void)close(held->fd);
    held->fd = -1;
    return 0;
}
