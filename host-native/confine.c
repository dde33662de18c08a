/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Less power for the rest of the process (confine.h). A system call that is not on the list is
 * EPERM, and not the end of the process: an ADD that meets it takes back what it has done.
 */
#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
/** Beyond are the calls of x32, which have other numbers for the same. */
#define NUMBERS_END 0x40000000u
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define NUMBERS_END 0xffffffffu
#else
#error "the numbers of system calls are known for x86-64 and arm64"
#endif

/**
 * Links, addresses, nftables and sysctls; entering a namespace; opening that of a process with
 * powers of its own; files of others than root.
 */
static const uint64_t KEPT = 1u << CAP_NET_ADMIN | 1u << CAP_SYS_ADMIN | 1u << CAP_SYS_PTRACE |
    1u << CAP_DAC_OVERRIDE;

/** Flags of clone(2) that make a namespace. */
static const uint32_t NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

/** What the operations and the C library below them call, whatever the arguments. */
static const uint32_t ALLOWED[] = {
    // Files and folders
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_openat, SYS_close, SYS_fstat, SYS_newfstatat,
    SYS_statfs, SYS_lseek, SYS_getdents64, SYS_fcntl, SYS_flock, SYS_mkdirat, SYS_renameat,
    SYS_linkat, SYS_unlinkat, SYS_readlinkat, SYS_ftruncate, SYS_chdir, SYS_close_range,
    // Sockets
    SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_setsockopt, SYS_getsockopt, SYS_bind,
    SYS_getsockname, SYS_ppoll,
    // Memory, signals and time
    SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_nanosleep, SYS_clock_nanosleep,
    SYS_clock_gettime, SYS_gettimeofday, SYS_setitimer, SYS_restart_syscall, SYS_futex,
    // Processes: children that wait for the kernel (linger.h), and the end
    SYS_wait4, SYS_setsid, SYS_getpid, SYS_getppid, SYS_gettid, SYS_prlimit64,
    SYS_set_robust_list, SYS_exit, SYS_exit_group,
#ifdef SYS_open // The old calls, which newer machines do not have.
    SYS_open, SYS_stat, SYS_lstat, SYS_mkdir, SYS_rename, SYS_link, SYS_unlink, SYS_readlink,
    SYS_poll, SYS_alarm, SYS_fork, SYS_getrlimit,
#endif
};

/** Room for the beginning, five instructions for each range, and calls with an argument. */
#define FILTER_MAX (5 * sizeof ALLOWED / sizeof *ALLOWED + 54)

static struct sock_filter filter[FILTER_MAX];
static uint16_t filter_length;

static void add(uint16_t code, uint32_t value, uint8_t when_true, uint8_t when_false)
{
    filter[filter_length++] = (struct sock_filter){code, when_true, when_false, value};
}

static void load(size_t offset)
{
    add(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void give(uint32_t action)
{
    add(BPF_RET | BPF_K, action, 0, 0);
}

static const uint32_t REFUSED = SECCOMP_RET_ERRNO | EPERM;

/** Allows a call when the low half of an argument, masked, has a value. */
static void allow_when(uint32_t number, unsigned argument, uint32_t mask, uint32_t value)
{
    add(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 5);
    // Little-endian, as both machines are: the low half comes first.
    load(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t));
    add(BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    give(SECCOMP_RET_ALLOW);
    give(REFUSED);
}

/** Numbers that follow one another. */
struct range {
    uint32_t first;
    uint32_t last;
};

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/**
 * Allows ranges by a tree: the kernel tries the filter with every number there is when it takes it,
 * and a list would cost that more than all else here.
 */
static void allow_ranges(const struct range *ranges, unsigned count)
{
    if (count == 1) {
        add(BPF_JMP | BPF_JGE | BPF_K, ranges->first, 0, 2);
        add(BPF_JMP | BPF_JGT | BPF_K, ranges->last, 1, 0);
        give(SECCOMP_RET_ALLOW);
        give(REFUSED);
        return;
    }
    unsigned half = count / 2;
    uint16_t fork_at = filter_length;
    add(BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, 0, 0);
    allow_ranges(ranges, half);
    filter[fork_at].jt = (uint8_t)(filter_length - fork_at - 1);
    allow_ranges(ranges + half, count - half);
}

static void allow_listed(void)
{
    static uint32_t numbers[sizeof ALLOWED / sizeof *ALLOWED];
    static struct range ranges[sizeof ALLOWED / sizeof *ALLOWED];
    unsigned count = 0;
    memcpy(numbers, ALLOWED, sizeof ALLOWED);
    qsort(numbers, sizeof numbers / sizeof *numbers, sizeof *numbers, compare);
    for (size_t at = 0; at < sizeof numbers / sizeof *numbers; at++) {
        if (count > 0 && numbers[at] == ranges[count - 1].last + 1) ranges[count - 1].last++;
        else ranges[count++] = (struct range){numbers[at], numbers[at]};
    }
    allow_ranges(ranges, count);
}

static void build(void)
{
    load(offsetof(struct seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    give(REFUSED);
    load(offsetof(struct seccomp_data, nr));
    add(BPF_JMP | BPF_JGE | BPF_K, NUMBERS_END, 0, 1);
    give(REFUSED);
    allow_when(SYS_socket, 0, UINT32_MAX, AF_NETLINK);
    allow_when(SYS_setns, 1, UINT32_MAX, CLONE_NEWNET);
    // TUNSETIFF, TUNSETPERSIST, TUNSETOWNER and TUNSETGROUP (tun.c) lie in eight numbers.
    allow_when(SYS_ioctl, 1, ~7u, TUNSETIFF & ~7u);
    allow_when(SYS_mmap, 2, PROT_EXEC, 0);
    allow_when(SYS_mprotect, 2, PROT_EXEC, 0);
    // Children of this very kind of process: no namespaces of their own.
    allow_when(SYS_clone, 0, NAMESPACES, 0);
    allow_listed();
}

int32_t confine_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capget, &header, sets) != 0) return -errno;
    for (unsigned at = 0; at < _LINUX_CAPABILITY_U32S_3; at++) {
        sets[at].permitted &= (uint32_t)(KEPT >> (32 * at));
        sets[at].effective &= sets[at].permitted;
        sets[at].inheritable = 0;
    }
    return syscall(SYS_capset, &header, sets) == 0 ? 0 : -errno;
}

bool confine_has_filters(void)
{
    // What is wrong is the pointer then, and not the kernel.
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == 0 || errno == EFAULT;
}

int32_t confine_system_calls(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    build();
    struct sock_fprog program = {.len = filter_length, .filter = filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : -errno;
}
