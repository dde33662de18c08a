/*
 * What a confined process still can do, for tests: gives a line for each of a list of calls, its
 * name and "yes" or the errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"

static void tell(const char *name, long result)
{
    printf("%s %s\n", name, result >= 0 ? "yes" : strerrorname_np(errno));
}

int main(void)
{
    int32_t status = confine();
    if (status < 0) return 1;
    static char text[] = "/bin/true";
    char *argv[] = {text, NULL};
    const int private = MAP_PRIVATE | MAP_ANONYMOUS;
    tell("netlink socket", socket(AF_NETLINK, SOCK_RAW, 0));
    tell("own namespace", setns(open("/proc/self/ns/net", O_RDONLY), CLONE_NEWNET));
    tell("memory", (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, private, -1, 0) == -1 ? -1 : 0);
    tell("execve", execve(argv[0], argv, NULL));
    tell("internet socket", socket(AF_INET, SOCK_STREAM, 0));
    tell("packet socket", socket(AF_PACKET, SOCK_RAW, 0));
    tell("unix socket", socket(AF_UNIX, SOCK_STREAM, 0));
    tell("other namespace", setns(open("/proc/self/ns/mnt", O_RDONLY), CLONE_NEWNS));
    tell("unshare", unshare(CLONE_NEWNS));
    tell("mount", mount("none", "/tmp", "tmpfs", 0, ""));
    tell("ptrace", ptrace(PTRACE_ATTACH, getppid(), 0, 0));
    tell("kill", kill(getpid(), 0));
    tell("chmod", chmod("/tmp", 01777));
    tell("chown", chown("/tmp", 0, 0));
    tell("symlink", symlink("a", "/tmp/fairlead-confined"));
    tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
    tell("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
    tell("module", syscall(SYS_init_module, NULL, 0, ""));
    tell("code", (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, private, -1, 0) == -1 ? -1 : 0);
    return 0;
}
