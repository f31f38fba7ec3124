# SPDX-License-Identifier: GPL-2.0-or-later
"""Prototypes of system calls: python-ptrace's, those that it lacks, and those that an ABI has otherwise.

Source: include/linux/syscalls.h; for i386 also arch/x86/entry/syscalls/syscall_32.tbl, where a 64-bit number comes in
two registers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from ptmon.decoding.python_ptrace import SYSCALL_PROTOTYPES

Prototype = tuple[tuple[str, str], ...]
"""(type, name) of each argument."""

_OWN = """
arch_prctl(int option, unsigned long addr)
cachestat(unsigned int fd, struct cachestat_range *cstat_range, struct cachestat *cstat, unsigned int flags)
clock_adjtime64(clockid_t which_clock, struct timex *tx)
clock_getres_time64(clockid_t which_clock, struct __kernel_timespec *tp)
clock_gettime64(clockid_t which_clock, struct __kernel_timespec *tp)
clock_nanosleep_time64(clockid_t which_clock, int flags, const struct __kernel_timespec *rqtp, struct __kernel_timespec *rmtp)
clock_settime64(clockid_t which_clock, const struct __kernel_timespec *tp)
clone3(struct clone_args *uargs, size_t size)
close_range(unsigned int fd, unsigned int max_fd, unsigned int flags)
epoll_pwait2(int epfd, struct epoll_event *events, int maxevents, const struct __kernel_timespec *timeout, const sigset_t *sigmask, size_t sigsetsize)
faccessat2(int dfd, const char *filename, int mode, int flags)
fchmodat2(int dfd, const char *filename, umode_t mode, unsigned int flags)
file_getattr(int dfd, const char *filename, struct file_attr *attr, size_t usize, unsigned int at_flags)
file_setattr(int dfd, const char *filename, struct file_attr *attr, size_t usize, unsigned int at_flags)
fsconfig(int fs_fd, unsigned int cmd, const char *key, const void *value, int aux)
fsmount(int fs_fd, unsigned int flags, unsigned int ms_flags)
fsopen(const char *fs_name, unsigned int flags)
fspick(int dfd, const char *path, unsigned int flags)
futex_requeue(struct futex_waitv *waiters, unsigned int flags, int nr_wake, int nr_requeue)
futex_time64(u32 *uaddr, int op, u32 val, struct __kernel_timespec *utime, u32 *uaddr2, u32 val3)
futex_wait(void *uaddr, unsigned long val, unsigned long mask, unsigned int flags, const struct __kernel_timespec *timespec, clockid_t clockid)
futex_waitv(struct futex_waitv *waiters, unsigned int nr_futexes, unsigned int flags, const struct __kernel_timespec *timeout, clockid_t clockid)
futex_wake(void *uaddr, unsigned long mask, int nr, unsigned int flags)
get_thread_area(struct user_desc *u_info)
getxattrat(int dfd, const char *path, unsigned int at_flags, const char *name, struct xattr_args *uargs, size_t usize)
io_pgetevents(aio_context_t ctx_id, long min_nr, long nr, struct io_event *events, const struct timespec *timeout, const void *sig)
io_pgetevents_time64(aio_context_t ctx_id, long min_nr, long nr, struct io_event *events, const struct __kernel_timespec *timeout, const void *sig)
io_uring_enter(unsigned int fd, u32 to_submit, u32 min_complete, u32 flags, const void *argp, size_t argsz)
io_uring_register(unsigned int fd, unsigned int opcode, void *arg, unsigned int nr_args)
io_uring_setup(u32 entries, struct io_uring_params *params)
iopl(unsigned int level)
landlock_add_rule(int ruleset_fd, unsigned int rule_type, const void *rule_attr, u32 flags)
landlock_create_ruleset(const struct landlock_ruleset_attr *attr, size_t size, u32 flags)
landlock_restrict_self(int ruleset_fd, u32 flags)
listmount(const struct mnt_id_req *req, u64 *mnt_ids, size_t nr_mnt_ids, unsigned int flags)
listns(const struct ns_id_req *req, u64 *ns_ids, size_t nr_ns_ids, unsigned int flags)
listxattrat(int dfd, const char *path, unsigned int at_flags, char *list, size_t size)
lsm_get_self_attr(unsigned int attr, struct lsm_ctx *ctx, u32 *size, u32 flags)
lsm_list_modules(u64 *ids, u32 *size, u32 flags)
lsm_set_self_attr(unsigned int attr, struct lsm_ctx *ctx, u32 size, u32 flags)
map_shadow_stack(unsigned long addr, unsigned long size, unsigned int flags)
memfd_secret(unsigned int flags)
modify_ldt(int func, void *ptr, unsigned long bytecount)
mount_setattr(int dfd, const char *path, unsigned int flags, struct mount_attr *uattr, size_t usize)
move_mount(int from_dfd, const char *from_pathname, int to_dfd, const char *to_pathname, unsigned int flags)
mq_timedreceive_time64(mqd_t mqdes, char *msg_ptr, size_t msg_len, unsigned int *msg_prio, const struct __kernel_timespec *abs_timeout)
mq_timedsend_time64(mqd_t mqdes, const char *msg_ptr, size_t msg_len, unsigned int msg_prio, const struct __kernel_timespec *abs_timeout)
mseal(unsigned long start, size_t len, unsigned long flags)
oldlstat(const char *filename, struct __old_kernel_stat *statbuf)
oldstat(const char *filename, struct __old_kernel_stat *statbuf)
open_tree(int dfd, const char *filename, unsigned int flags)
open_tree_attr(int dfd, const char *filename, unsigned int flags, struct mount_attr *uattr, size_t usize)
openat2(int dfd, const char *filename, struct open_how *how, size_t usize)
pidfd_getfd(int pidfd, int fd, unsigned int flags)
pidfd_open(pid_t pid, unsigned int flags)
pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned int flags)
pkey_alloc(unsigned long flags, unsigned long init_val)
pkey_free(int pkey)
pkey_mprotect(unsigned long start, size_t len, unsigned long prot, int pkey)
ppoll_time64(struct pollfd *fds, unsigned int nfds, struct __kernel_timespec *tmo_p, const sigset_t *sigmask, size_t sigsetsize)
preadv2(unsigned long fd, const struct iovec *vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h, int flags)
process_madvise(int pidfd, const struct iovec *vec, size_t vlen, int behavior, unsigned int flags)
process_mrelease(int pidfd, unsigned int flags)
pselect6_time64(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct __kernel_timespec *timeout, void *sigmask)
pwritev2(unsigned long fd, const struct iovec *vec, unsigned long vlen, unsigned long pos_l, unsigned long pos_h, int flags)
quotactl_fd(unsigned int fd, unsigned int cmd, qid_t id, void *addr)
recvmmsg_time64(int fd, struct mmsghdr *msg, unsigned int vlen, unsigned flags, struct __kernel_timespec *timeout)
removexattrat(int dfd, const char *path, unsigned int at_flags, const char *name)
rseq(struct rseq *rseq, u32 rseq_len, int flags, u32 sig_word)
rt_sigreturn()
rt_sigtimedwait_time64(const sigset_t *uthese, siginfo_t *uinfo, const struct __kernel_timespec *uts, size_t sigsetsize)
sched_rr_get_interval_time64(pid_t pid, struct __kernel_timespec *interval)
semtimedop_time64(int semid, struct sembuf *sops, unsigned nsops, const struct __kernel_timespec *timeout)
set_mempolicy_home_node(unsigned long start, unsigned long len, unsigned long home_node, unsigned long flags)
set_thread_area(struct user_desc *u_info)
setxattrat(int dfd, const char *path, unsigned int at_flags, const char *name, const struct xattr_args *uargs, size_t usize)
sigreturn()
statmount(const struct mnt_id_req *req, struct statmount *buf, size_t bufsize, unsigned int flags)
timer_gettime64(timer_t timer_id, struct __kernel_itimerspec *setting)
timer_settime64(timer_t timer_id, int flags, const struct __kernel_itimerspec *new_setting, struct __kernel_itimerspec *old_setting)
timerfd_gettime64(int ufd, struct __kernel_itimerspec *otmr)
timerfd_settime64(int ufd, int flags, const struct __kernel_itimerspec *utmr, struct __kernel_itimerspec *otmr)
utimensat_time64(int dfd, const char *filename, struct __kernel_timespec *utimes, int flags)
"""  # noqa: E501

_CLONE = "clone(unsigned long flags, unsigned long child_stack, int *ptid, "
_CLONE_X86_64 = _CLONE + "int *ctid, unsigned long tls)"
_CLONE_OTHERS = _CLONE + "unsigned long tls, int *ctid)"
_I386 = f"""
{_CLONE_OTHERS}
fadvise64(int fd, unsigned int offset_low, unsigned int offset_high, size_t len, int advice)
fadvise64_64(int fd, unsigned int offset_low, unsigned int offset_high, unsigned int len_low, unsigned int len_high, int advice)
fallocate(int fd, int mode, unsigned int offset_low, unsigned int offset_high, unsigned int len_low, unsigned int len_high)
fanotify_mark(int fanotify_fd, unsigned int flags, unsigned int mask_low, unsigned int mask_high, int fd, const char *pathname)
ftruncate64(unsigned int fd, unsigned int length_low, unsigned int length_high)
mmap(struct mmap_arg_struct *arg)
pread64(unsigned int fd, char *buf, size_t count, unsigned int pos_low, unsigned int pos_high)
pwrite64(unsigned int fd, const char *buf, size_t count, unsigned int pos_low, unsigned int pos_high)
readahead(int fd, unsigned int offset_low, unsigned int offset_high, size_t count)
readdir(unsigned int fd, struct old_linux_dirent *dirp, unsigned int count)
select(struct sel_arg_struct *arg)
sync_file_range(int fd, unsigned int offset_low, unsigned int offset_high, unsigned int nbytes_low, unsigned int nbytes_high, unsigned int flags)
truncate64(const char *path, unsigned int length_low, unsigned int length_high)
umount(const char *name)
"""  # noqa: E501
# The header's name of a call, and that of a prototype of python-ptrace's.
_SAME = {"_llseek": "llseek", "_newselect": "select", "umount2": "umount", "ugetrlimit": "getrlimit"}


def prototype(name: str, compat: bool) -> Prototype | None:
    """The arguments of a system call, as the header names it; None where they are not known."""
    own = _OF_COMPAT if compat else _OF_MACHINE
    if name in own:
        return own[name]
    name = _SAME.get(name, name)
    if name not in SYSCALL_PROTOTYPES and name.endswith("32"):
        name = name.removesuffix("32")  # chown32: with 32-bit ids
    if name not in SYSCALL_PROTOTYPES:
        return None
    return tuple((kind, argument or "sigsetsize") for kind, argument in SYSCALL_PROTOTYPES[name][1])


def _parsed(lines: str) -> Iterator[tuple[str, Prototype]]:
    for line in lines.strip().split("\n"):
        name, _, rest = line.removesuffix(")").partition("(")
        words = [re.fullmatch(r"(.*?)(\w+)", argument) for argument in rest.split(", ") if argument]
        yield name, tuple((match[1].strip(), match[2]) for match in words if match)


_OF_MACHINE = dict(_parsed(_OWN + (_CLONE_X86_64 if os.uname().machine == "x86_64" else _CLONE_OTHERS)))
_OF_COMPAT = dict(_parsed(_OWN + _I386.lstrip()))
