/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a subverted process still can do once it is confined, for tests: with the operations of the
 * host, which its core would call, and by itself, as if the host were somebody else's code. Gives a
 * line for each of a list of tries, its name and "yes" or the errno. Called with a folder that the
 * call may write to; one program of CNI_PATH may be executed, "foreign".
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi.gen.h"
#include "hold.h"
#include "launcher.h"
#include "reach.h"
#include "text.h"

static struct host host;

static void tell(const char *name, long result)
{
    printf("%s %s\n", name, result >= 0 ? "yes" : strerrorname_np(errno));
}

/** What an operation gave. */
static void tell_status(const char *name, int32_t status)
{
    printf("%s %s\n", name, status >= 0 ? "yes" : strerrorname_np(-status));
}

static const char *joined(const char *folder, const char *name)
{
    static char text[8][PATH_MAX];
    static unsigned at;
    char *into = text[at++ % 8];
    snprintf(into, PATH_MAX, "%s/%s", folder, name);
    return into;
}

static void write_by_operation(const char *name, const char *path)
{
    tell_status(name, store_file_write(&host, span_of(path), span_of("text")));
}

static void write_by_itself(const char *name, const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    tell(name, fd);
    if (fd >= 0) close(fd);
}

static void execute(const char *name, const char *path, struct span env)
{
    struct span script = span_of("touch /tmp/subverted\n");
    tell_status(name, plugin_exec(&host, span_of(path), env, script, 2000));
}

/** The same with an order written into the channel, past all that looks at it on this side. */
static void order(const char *name, const char *path, struct span env)
{
    struct order made = {span_of(path), env, span_of("id\n"), 2000};
    reply_begin(&host.reply);
    tell_status(name, launcher_ask(&host, &made));
}

static void by_operations(const char *folder, const char *path)
{
    static const char loads[] = "CNI_COMMAND=ADD\0LD_PRELOAD=/tmp/x.so";
    struct span fine = {"CNI_COMMAND=VERSION", sizeof "CNI_COMMAND=VERSION"};
    struct span evil = {loads, sizeof loads};
    write_by_operation("file in its folder", joined(folder, "lease"));
    write_by_operation("file elsewhere", "/tmp/fairlead-subverted");
    write_by_operation("file beside it", joined(folder, "../fairlead-subverted"));
    tell_status("sysctl", kernel_sysctl_write(&host, 0, span_of("net/ipv4/ip_default_ttl"),
        span_of("64")));
    tell_status("other sysctl", kernel_sysctl_write(&host, 0, span_of("kernel/core_pattern"),
        span_of("x")));
    execute("named program", joined(path, "foreign"), fine);
    execute("shell", "/bin/sh", (struct span){"", 0});
    execute("unnamed program", joined(path, "other"), fine);
    execute("program of another folder", joined(folder, "foreign"), fine);
    execute("other variables", joined(path, "foreign"), evil);
    order("ordered shell", "/bin/sh", (struct span){"", 0});
    order("ordered unnamed", joined(path, "other"), fine);
    order("ordered way out", joined(path, "../../bin/sh"), fine);
    order("ordered variables", joined(path, "foreign"), evil);
    order("ordered program", joined(path, "foreign"), fine);
}

static void by_itself(const char *folder)
{
    static char text[] = "/bin/true";
    char *argv[] = {text, NULL};
    const int private = MAP_PRIVATE | MAP_ANONYMOUS;
    tell("netlink socket", socket(AF_NETLINK, SOCK_RAW, 0));
    tell("own namespace", setns(open("/proc/self/ns/net", O_RDONLY), CLONE_NEWNET));
    tell("memory", (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, private, -1, 0) == -1 ? -1 : 0);
    write_by_itself("own file", joined(folder, "mine"), O_WRONLY | O_CREAT);
    write_by_itself("own sysctl", "/proc/sys/net/ipv4/ip_default_ttl", O_WRONLY);
    write_by_itself("memory as file", "/proc/self/mem", O_RDWR);
    write_by_itself("core_pattern", "/proc/sys/kernel/core_pattern", O_WRONLY);
    write_by_itself("sysrq", "/proc/sysrq-trigger", O_WRONLY);
    write_by_itself("uevent_helper", "/sys/kernel/uevent_helper", O_WRONLY);
    write_by_itself("passwd", "/etc/passwd", O_WRONLY | O_APPEND);
    write_by_itself("new file", "/tmp/fairlead-subverted", O_WRONLY | O_CREAT);
    tell("removing", unlink("/tmp"));
    tell("linking", link("/bin/true", joined(folder, "linked")));
    tell("execve", execve(argv[0], argv, NULL));
    tell("internet socket", socket(AF_INET, SOCK_STREAM, 0));
    tell("packet socket", socket(AF_PACKET, SOCK_RAW, 0));
    tell("unix socket", socket(AF_UNIX, SOCK_STREAM, 0));
    tell("other namespace", setns(open("/proc/self/ns/mnt", O_RDONLY), CLONE_NEWNS));
    tell("unshare", unshare(CLONE_NEWNS));
    tell("clone", syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL));
    tell("mount", mount("none", "/tmp", "tmpfs", 0, ""));
    tell("ptrace", ptrace(PTRACE_ATTACH, getppid(), 0, 0));
    tell("kill", kill(getpid(), 0));
    tell("chmod", chmod("/tmp", 01777));
    tell("chown", chown("/tmp", 0, 0));
    tell("symlink", symlink("a", "/tmp/fairlead-confined"));
    tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
    tell("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
    tell("module", syscall(SYS_init_module, NULL, 0, ""));
    tell("terminal input", syscall(SYS_ioctl, 0, 0x5412, "x"));
    tell("code", (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, private, -1, 0) == -1 ? -1 : 0);
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    const char *folder = argv[1];
    const char *path = argv[2];
    hold_writes();
    if (reach_begin(REACH_CONFINED) < 0) return 3;
    write_by_operation("file too early", joined(folder, "early"));
    execute("program too early", joined(path, "foreign"), (struct span){"", 0});
    if (host_confine(&host, span_of(folder), span_of("foreign"), 1) < 0) return 4;
    by_operations(folder, path);
    by_itself(folder);
    fflush(stdout);
    launcher_end();
    return 0;
}
