# SPDX-License-Identifier: GPL-2.0-or-later
"""Names and numbers of system calls: what python-ptrace's tables lack or call otherwise than the kernel's headers.

Sources: arch/x86/entry/syscalls/syscall_64.tbl and syscall_32.tbl, include/uapi/asm-generic/unistd.h. A line is the
first number, and the names of the numbers from there on.
"""

from __future__ import annotations

# From 424 on a call has the same number in every ABI.
_SINCE_440 = """
440 process_madvise epoll_pwait2 mount_setattr quotactl_fd landlock_create_ruleset landlock_add_rule
446 landlock_restrict_self memfd_secret process_mrelease futex_waitv set_mempolicy_home_node cachestat fchmodat2
453 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr
461 lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat open_tree_attr file_getattr file_setattr
470 listns
"""
_X86_64 = """
283 timerfd_create
335 uretprobe uprobe
"""
# python-ptrace has Linux 2.6.21's, and names them by the kernel's functions: its "chown" is the header's chown32.
_I386 = """
16 lchown break oldstat
22 umount setuid getuid
28 oldfstat
31 stty gtty
35 ftime
44 prof
46 setgid getgid
49 geteuid getegid
52 umount2 lock
56 mpx
58 ulimit
70 setreuid setregid
76 getrlimit
80 getgroups setgroups select
84 oldlstat
89 readdir mmap
95 fchown
98 profil
106 stat lstat fstat
112 idle
127 create_module
130 get_kernel_syms
137 afs_syscall setfsuid setfsgid _llseek
142 _newselect
149 _sysctl
164 setresuid getresuid
167 query_module
170 setresgid getresgid
182 chown
188 getpmsg putpmsg
191 ugetrlimit
198 lchown32 getuid32 getgid32 geteuid32 getegid32 setreuid32 setregid32 getgroups32 setgroups32 fchown32 setresuid32
209 getresuid32 setresgid32 getresgid32 chown32 setuid32 setgid32 setfsuid32 setfsgid32
273 vserver
320 utimensat signalfd timerfd_create eventfd fallocate timerfd_settime timerfd_gettime signalfd4 eventfd2
329 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init
339 fanotify_mark prlimit64 name_to_handle_at open_by_handle_at clock_adjtime syncfs sendmmsg setns process_vm_readv
348 process_vm_writev kcmp finit_module sched_setattr sched_getattr renameat2 seccomp getrandom memfd_create bpf
358 execveat socket socketpair bind connect listen accept4 getsockopt setsockopt getsockname getpeername sendto sendmsg
371 recvfrom recvmsg shutdown userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc
382 pkey_free statx arch_prctl io_pgetevents rseq
393 semget semctl shmget shmctl shmat shmdt msgget msgsnd msgrcv msgctl
403 clock_gettime64 clock_settime64 clock_adjtime64 clock_getres_time64 clock_nanosleep_time64 timer_gettime64
409 timer_settime64 timerfd_gettime64 timerfd_settime64 utimensat_time64 pselect6_time64 ppoll_time64
416 io_pgetevents_time64 recvmmsg_time64 mq_timedsend_time64 mq_timedreceive_time64 semtimedop_time64
421 rt_sigtimedwait_time64 futex_time64 sched_rr_get_interval_time64
424 pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig fsmount
433 fspick pidfd_open clone3 close_range openat2 pidfd_getfd faccessat2
"""


def _numbered(lines: str) -> dict[int, str]:
    table: dict[int, str] = {}
    for line in lines.split("\n"):
        first, *names = line.split() or ["0"]
        table.update(enumerate(names, int(first)))
    return table


CORRECTIONS: dict[str, dict[int, str]] = {
    "x86_64": _numbered(_X86_64 + _SINCE_440),
    "i386": _numbered(_I386 + _SINCE_440),
    "aarch64": _numbered(_SINCE_440),
}
"""What is added to python-ptrace's table of an ABI, or put right in it."""

PAST_END = 512
"""python-ptrace's numbers from here on are not the ABI's: those in its table of x86_64 belong to x32."""

_NETWORK = """
accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmmsg_time64 recvmsg
sendfile sendfile64 sendmmsg sendmsg sendto setsockopt shutdown socket socketcall socketpair
"""
_PROCESS = """
clone clone3 execve execveat exit exit_group fork kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tgkill
tkill vfork wait4 waitid waitpid
"""
_FILE = """
access acct chdir chmod chown chown32 chroot creat execve execveat faccessat faccessat2 fanotify_mark fchmodat
fchmodat2 fchownat file_getattr file_setattr fsconfig fspick fstatat64 futimesat getcwd getxattr getxattrat
inotify_add_watch lchown lchown32 lgetxattr link linkat listxattr listxattrat llistxattr lremovexattr lsetxattr lstat
lstat64 mkdir mkdirat mknod mknodat mount mount_setattr move_mount name_to_handle_at newfstatat oldlstat oldstat open
open_tree open_tree_attr openat openat2 pivot_root quotactl readlink readlinkat removexattr removexattrat rename
renameat renameat2 rmdir setxattr setxattrat stat stat64 statfs statfs64 statx swapoff swapon symlink symlinkat
truncate truncate64 umount umount2 unlink unlinkat uselib utime utimensat utimensat_time64 utimes
"""
CLASSES: dict[str, tuple[str, ...]] = {
    "%network": tuple(_NETWORK.split()),
    "%process": tuple(_PROCESS.split()),
    "%file": tuple(_FILE.split()),
}
"""As strace(1) has them under -e trace=: %process holds the calls that send a signal to a process too, and %file those
that take the name of a file."""
