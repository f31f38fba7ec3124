# SPDX-License-Identifier: GPL-2.0-or-later
"""Which argument is kept and shown in which way: by its call and name, by its name, by its type.

What holds secrets is not followed: the environment, keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ptmon.decoding import constants, pointers, sockets, structs, values
from ptmon.decoding.frame import Frame, Kind
from ptmon.decoding.words import flags


def _of(calls: str, arguments: str, kind: Kind) -> dict[tuple[str, str], Kind]:
    return {(call, argument): kind for call in calls.split() for argument in arguments.split()}


def _bits(calls: str, arguments: str, text: Callable[[int], str]) -> dict[tuple[str, str], Kind]:
    return _of(calls, arguments, Kind(values.named(text)))


def _clone(frame: Frame, index: int) -> tuple[Any, str]:
    value = frame.args[index]
    return value, constants.clone_flags(value)


_SENDS, _RECEIVES = "sendto sendmsg sendmmsg send", "recvfrom recvmsg recvmmsg recvmmsg_time64 recv"
ADDRESS = Kind(values.address)
_NUMBER = Kind(values.number)
_SIGNAL = Kind(values.named_int(constants.signal_name))

BY_CALL: dict[tuple[str, str], Kind] = {
    **_bits("open openat", "flags", constants.open_flags),
    **_bits("mq_open", "oflag", constants.open_flags),
    **_bits("open_by_handle_at", "flags", constants.open_flags),
    **_bits("pipe2 dup3 inotify_init1 signalfd4 epoll_create1 userfaultfd pidfd_open", "flags", constants.fd_flags),
    **_bits("eventfd2", "flags", constants.eventfd_flags),
    **_bits("timerfd_create timerfd_settime timerfd_settime64", "flags", constants.timerfd_flags),
    **_bits("clock_nanosleep clock_nanosleep_time64 timer_settime timer_settime64", "flags", constants.timer_flags),
    **_bits("access faccessat faccessat2", "mode", constants.access_mode),
    **_bits("unlinkat", "flag", constants.unlink_flags),
    **_bits("faccessat2 linkat statx utimensat utimensat_time64 execveat fchmodat2", "flags", constants.at_flags),
    **_bits("fchownat newfstatat fstatat64 name_to_handle_at", "flag", constants.at_flags),
    **_bits(
        "setxattrat getxattrat listxattrat removexattrat file_getattr file_setattr", "at_flags", constants.at_flags
    ),
    **_bits("renameat2", "flags", constants.rename_flags),
    **_bits("close_range", "flags", constants.close_range_flags),
    **_bits("getrandom", "flags", constants.random_flags),
    **_bits("memfd_create", "flags", constants.memfd_flags),
    **_bits("splice tee vmsplice", "flags", constants.splice_flags),
    **_bits("preadv2 pwritev2", "flags", constants.rwf_flags),
    **_bits("lseek _llseek", "whence", constants.whence),
    **_bits("flock", "cmd", constants.lock),
    **_bits("fcntl fcntl64", "cmd", lambda value: constants.FCNTL.get(value) or str(value)),
    **_of("fcntl fcntl64", "arg", Kind(values.fcntl_argument)),
    **_of("ioctl", "cmd", Kind(values.hexadecimal)),
    **_bits("mmap mmap2 mprotect pkey_mprotect", "prot", constants.prot),
    **_bits("mmap mmap2", "flags", constants.map_flags),
    **_bits("mremap", "flags", constants.remap_flags),
    **_bits("msync", "flags", constants.sync_flags),
    **_bits("madvise process_madvise", "behavior", constants.advice),
    **_of("umask", "mask", Kind(values.mode)),
    **_of("brk", "brk", ADDRESS),
    **_of("clone", "flags", Kind(_clone)),
    **_bits("unshare", "unshare_flags", constants.unshare_flags),
    **_bits("setns", "nstype", constants.unshare_flags),
    **_bits("socket socketpair", "domain", constants.family),
    **_bits("socket socketpair", "type", constants.socket_type),
    **_of("socket socketpair", "protocol", Kind(values.protocol)),
    **_bits("accept4", "flags", constants.accept_flags),
    **_bits(f"{_SENDS} {_RECEIVES}", "flags", constants.message_flags),
    **_bits("shutdown", "how", constants.shutdown_how),
    **_bits("setsockopt getsockopt", "level", lambda value: constants.LEVEL.get(value) or str(value)),
    **_of("setsockopt getsockopt", "optname", Kind(values.option)),
    **_of("setsockopt", "optval", sockets.OPTION),
    **_of("getsockopt", "optval", sockets.OPTION_OUT),
    **_of("getsockopt", "optlen", pointers.LENGTH),
    **_of("connect bind", "addr", sockets.TO),
    **_of("sendto", "dest_addr", sockets.TO),
    **_of("accept accept4 getsockname getpeername", "addr", sockets.FROM),
    **_of("recvfrom", "src_addr", sockets.FROM),
    **_of("accept accept4 getsockname getpeername recvfrom", "addrlen", pointers.LENGTH),
    **_of("sendmsg", "msg", sockets.MSGHDR),
    **_of("recvmsg", "msg", sockets.MSGHDR_OUT),
    **_of("sendmmsg", "msg", sockets.MMSGHDR),
    **_of("recvmmsg recvmmsg_time64", "msg", sockets.MMSGHDR_OUT),
    **_of("writev pwritev pwritev2", "vec", sockets.IOVEC),
    **_of("vmsplice", "iov", sockets.IOVEC),
    **_of("process_vm_writev", "lvec", sockets.IOVEC),
    **_of("readv preadv preadv2", "vec", sockets.IOVEC_OUT),
    **_of("process_vm_readv", "lvec", sockets.IOVEC_OUT),
    **_of("write pwrite64 sendto send", "buf", pointers.SENT),
    **_of("mq_timedsend mq_timedsend_time64", "msg_ptr", pointers.SENT),
    **_of("setxattr lsetxattr fsetxattr", "value", pointers.SENT),
    **_of("sethostname setdomainname", "name", pointers.SENT),
    **_of("read pread64 recvfrom recv getrandom syslog", "buf", pointers.RECEIVED),
    **_of("mq_timedreceive mq_timedreceive_time64", "msg_ptr", pointers.RECEIVED),
    **_of("getxattr lgetxattr fgetxattr", "value", pointers.RECEIVED),
    **_of("listxattr llistxattr flistxattr listxattrat", "list", pointers.RECEIVED),
    **_of("readlink readlinkat", "buf", pointers.PATH),
    **_of("getcwd", "pathname", pointers.PATH),
    **_of("mount", "dev_name dir_name type", pointers.STRING),
    **_of("utime utimes", "filename", pointers.STRING),
    **_of("umount umount2", "name", pointers.STRING),
    **_of("execve execveat", "argv", pointers.STRINGS),
    **_of("seccomp", "uargs", ADDRESS),
    **_of("kexec_file_load", "cmdline_ptr", ADDRESS),
    **_of("socketpair", "sv", pointers.PAIR),
    **_of("pipe pipe2", "fildes", pointers.PAIR),
    **_of("wait4 waitpid", "stat_addr", pointers.STATUS),
    **_of("sendfile", "offset", pointers.LONG),
    **_of("sendfile64", "offset", pointers.OFFSET),
    **_of("splice copy_file_range", "off_in off_out", pointers.OFFSET),
    **_of("clone3", "uargs", structs.CLONE3),
    **_of("openat2", "how", structs.OPEN_HOW),
    **_of("epoll_ctl", "event", structs.EPOLL),
    **_bits("epoll_ctl", "op", constants.epoll_op),
    **_of("epoll_wait epoll_pwait epoll_pwait2", "events", structs.EPOLLS),
    **_bits("futex futex_time64", "op", constants.futex_op),
    **_of("futex futex_time64", "utime", structs.FUTEX_TIMEOUT),
    **_bits("wait4 waitid waitpid", "options", constants.wait_options),
    **_bits("waitid", "which", constants.wait_which),
    **_bits("getrlimit setrlimit ugetrlimit prlimit64", "resource", constants.resource),
    **_of("getrlimit ugetrlimit", "rlim", structs.RLIMIT_OUT),
    **_bits("rt_sigprocmask sigprocmask", "how", constants.mask_how),
    **_of("rt_sigprocmask", "oset", structs.SIGNALS_OUT),
    **_of("rt_sigpending", "set", structs.SIGNALS_OUT),
    **_bits("seccomp", "op", constants.seccomp_op),
    **_bits("prctl", "option", constants.prctl_option),
    **_bits("arch_prctl", "option", constants.arch_prctl_option),
    **_bits("ptrace", "request", constants.ptrace_request),
    **_of("clock_gettime clock_getres", "tp", structs.TIMESPEC_OUT),
    **_of("clock_gettime64 clock_getres_time64", "tp", structs.TIMESPEC64_OUT),
    **_of("nanosleep clock_nanosleep", "rmtp", ADDRESS),
    **_of("clock_nanosleep_time64", "rmtp", ADDRESS),
    **_of("sched_rr_get_interval sched_rr_get_interval_time64", "interval", ADDRESS),
    **_of("gettimeofday", "tv", structs.TIMEVAL_OUT),
    **_of("utimensat", "utimes", structs.TIMESPECS),
    **_of("utimensat_time64", "utimes", structs.TIMESPECS64),
    **_of("utimes futimesat", "utimes", structs.TIMEVALS),
    **_of("setitimer", "value", structs.ITIMERVAL),
    **_of("uname", "buf", structs.UNAME),
}

BY_TYPE: dict[str, Kind] = {
    "int": _NUMBER,
    "long": Kind(values.long),
    "off_t": Kind(values.long),
    "loff_t": Kind(values.long),
    "size_t": Kind(values.size),
    "unsigned long": Kind(values.word),
    "unsigned int": Kind(values.unsigned),
    "unsigned": Kind(values.unsigned),
    "u32": Kind(values.unsigned),
    "umode_t": Kind(values.mode),
    "clockid_t": Kind(values.named_int(constants.clock)),
    **dict.fromkeys(("pid_t", "uid_t", "gid_t", "mqd_t", "qid_t", "key_serial_t", "__s32", "timer_t"), _NUMBER),
    **dict.fromkeys(("old_uid_t", "old_gid_t"), Kind(values.unsigned)),
    "key_t": Kind(values.hexadecimal),
    "const char *": pointers.STRING,
    "struct pollfd *": structs.POLL,
    "fd_set *": structs.FD_SET,
    "struct rlimit *": structs.RLIMIT,
    "const struct rlimit64 *": structs.RLIMIT64,
    "struct rlimit64 *": structs.RLIMIT64_OUT,
    "sigset_t *": structs.SIGNALS,
    "const sigset_t *": structs.SIGNALS,
    "struct timespec *": structs.TIMESPEC,
    "const struct timespec *": structs.TIMESPEC,
    "struct __kernel_timespec *": structs.TIMESPEC64,
    "const struct __kernel_timespec *": structs.TIMESPEC64,
    "struct timeval *": structs.TIMEVAL,
    "const struct itimerspec *": structs.ITIMERSPEC,
    "const struct __kernel_itimerspec *": structs.ITIMERSPEC64,
}

_FDS = """fd sockfd fildes oldfd newfd fd_in fd_out in_fd out_fd fdin fdout epfd ufd pidfd mount_fd fs_fd fanotify_fd
    group_fd kernel_fd initrd_fd ruleset_fd"""

BY_NAME: dict[str, Kind] = {
    **dict.fromkeys(_FDS.split(), _NUMBER),
    **dict.fromkeys(["dfd", "dirfd", "olddfd", "newdfd", "from_dfd", "to_dfd"], Kind(values.directory)),
    **dict.fromkeys(("sig", "signum"), _SIGNAL),
    **dict.fromkeys(["addr", "start", "child_stack", "tls", "new_addr", "shmaddr"], ADDRESS),
    **dict.fromkeys(("flags", "flag"), Kind(values.named(flags(())))),
    "mask": Kind(values.hexadecimal),
}
SIZES = frozenset({"len", "old_len", "new_len", "length", "vlen", "nr_segs", "liovcnt", "riovcnt", "count", "size"})
"""Names of what is a number where its type, unsigned long, could be an address."""
OTHER_POINTERS = frozenset({"__sighandler_t", "aio_context_t", "cap_user_header_t", "cap_user_data_t"})
