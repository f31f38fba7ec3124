# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: E501 - one case a line: what a tracee passes, and what is said of it
"""Calls as the tests of ptmon.decoding build them: registers, memory, and the text that is expected."""

from __future__ import annotations

import os
import socket
import struct

Memory = dict[int, bytes]

HERE = 2**64 - 100  # AT_FDCWD, as the register has it
MINUS = 2**32 - 1  # -1, as an int in the lower half of a register
INET = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", 8080, socket.inet_aton("127.0.0.1"))
INET6 = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16sI", 53, 0, bytes(15) + b"\1", 0)
UNIX = struct.pack("=H", socket.AF_UNIX) + b'/run/a "b"'.ljust(108, b"\0")
ABSTRACT = struct.pack("=H", socket.AF_UNIX) + b"\0bus"
NETLINK = struct.pack("=HHII", socket.AF_NETLINK, 0, 17, 0)
ARGV = {0x2000: struct.pack("=3Q", 0x3000, 0x3100, 0), 0x3000: b"ls\0", 0x3100: b"-l\xff\n\0"}
MSGHDR = struct.pack("=QI4xQQQQI4x", 0x5000, 16, 0x6000, 2, 0, 0, 0)
VECTOR = {0x6000: struct.pack("=4Q", 0x7000, 5, 0x7100, 40), 0x7000: b"hello", 0x7100: b"0123456789" * 4}
MESSAGE = {0x4000: MSGHDR, 0x5000: INET, **VECTOR}
CLONE3 = struct.pack("=11Q", 0x3D0F00, 0, 0x10, 0x20, 17, 0x7F0000, 0x8000, 0x99, 0, 0, 0)
THREAD = (
    "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS|CLONE_PARENT_SETTID"
    "|CLONE_CHILD_CLEARTID"
)
EPOLL = struct.pack("=IQ" if os.uname().machine == "x86_64" else "=I4xQ", 0x80000001, 5)


ENTRIES: list[tuple[str, tuple[int, ...], Memory, str]] = [
    ("openat", (HERE, 0x100, os.O_CLOEXEC, 7), {0x100: b"/etc/passwd\0"}, '(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC)'),
    ("openat", (5, 0x100, 0o1102, 0o644), {0x100: b'\x1b"\xff\0'}, r'(5, "\x1b\"\xff", O_RDWR|O_CREAT|O_TRUNC, 0644)'),
    ("openat", (5, 0x100, os.O_SYNC | os.O_TMPFILE, 0), {}, "(5, 0x100, O_RDONLY|O_SYNC|O_TMPFILE, 0000)"),
    ("close", (MINUS,), {}, "(-1)"),
    ("faccessat", (HERE, 0, 5), {}, "(AT_FDCWD, NULL, X_OK|R_OK)"),
    ("socket", (2, 1 | os.O_CLOEXEC, 6), {}, "(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP)"),
    ("socket", (16, 3, 0), {}, "(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)"),
    ("socket", (1, 2 | os.O_NONBLOCK, 0), {}, "(AF_UNIX, SOCK_DGRAM|SOCK_NONBLOCK, 0)"),
    ("connect", (3, 0x100, 16), {0x100: INET}, "(3, 127.0.0.1:8080, 16)"),
    ("connect", (3, 0x100, 28), {0x100: INET6}, "(3, [::1]:53, 28)"),
    ("connect", (3, 0x100, 110), {0x100: UNIX}, r'(3, "/run/a \"b\"", 110)'),
    ("bind", (3, 0x100, 6), {0x100: ABSTRACT}, '(3, "@bus", 6)'),
    ("bind", (3, 0x100, 12), {0x100: NETLINK}, "(3, netlink:0/17, 12)"),
    ("connect", (3, 0x100, 16), {0x100: bytes(16)}, "(3, {AF_UNSPEC}, 16)"),
    ("connect", (3, 0x100, MINUS), {0x100: INET}, '(3, "", -1)'),
    ("connect", (3, 0x100, 16), {}, "(3, 0x100, 16)"),
    ("accept4", (3, 0x100, 0x200, os.O_NONBLOCK), {}, "(3, 0x100, 0x200, SOCK_NONBLOCK)"),
    ("sendto", (3, 0x100, 3, 0x4000, 0x200, 16), {0x100: b"a\r\n", 0x200: INET}, r'(3, "a\r\n", 3, MSG_NOSIGNAL, 127.0.0.1:8080, 16)'),
    ("sendto", (3, 0, 0, 0, 0, 0), {}, "(3, NULL, 0, 0, NULL, 0)"),
    ("write", (1, 0x100, 99), {0x100: b"GET / HTTP/1.1\r\nHost: example.co"}, r'(1, "GET / HTTP/1.1\r\nHost: example.co"..., 99)'),
    ("write", (1, 0x100, 0), {}, '(1, "", 0)'),
    ("writev", (1, 0x6000, 2), VECTOR, '(1, ["hello", "01234567890123456789012345678901"...], 2)'),
    ("writev", (1, 0x6000, 2), {0x6000: VECTOR[0x6000]}, "(1, [0x7000[5], 0x7100[40]], 2)"),
    ("sendmsg", (3, 0x4000, 0x40), MESSAGE, '(3, {name=127.0.0.1:8080, iov=["hello", "01234567890123456789012345678901"...]}, MSG_DONTWAIT)'),
    ("sendmmsg", (3, 0x4000, 1, 0), MESSAGE | {0x4000: MSGHDR + bytes(8), 0x6000: struct.pack("=4Q", 0x7000, 5, 0, 0)}, '(3, [{name=127.0.0.1:8080, iov=["hello", NULL]}], 1, 0)'),
    ("recvfrom", (3, 0x100, 10, 2, 0, 0), {}, "(3, 0x100, 10, MSG_PEEK, NULL, NULL)"),
    ("recvmsg", (3, 0x100, 0), {}, "(3, 0x100, 0)"),
    ("setsockopt", (3, 1, 2, 0x100, 4), {0x100: struct.pack("i", 1)}, "(3, SOL_SOCKET, SO_REUSEADDR, [1], 4)"),
    ("setsockopt", (3, 1, 13, 0x100, 8), {0x100: struct.pack("2i", 1, 5)}, "(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=5}, 8)"),
    ("setsockopt", (3, 6, 13, 0x100, 5), {0x100: b"cubic"}, '(3, SOL_TCP, TCP_CONGESTION, "cubic", 5)'),
    ("shutdown", (3, 1), {}, "(3, SHUT_WR)"),
    ("clone3", (0x100, 88), {0x100: CLONE3}, f"({{flags={THREAD}, exit_signal=SIGCHLD, stack=0x7f0000, stack_size=0x8000, child_tid=0x10, parent_tid=0x20, tls=0x99}}, 88)"),
    ("clone3", (0x100, 64), {0x100: CLONE3[:64].replace(b"\x11", b"\0")}, f"({{flags={THREAD}, exit_signal=0, stack=0x7f0000, stack_size=0x8000, child_tid=0x10, parent_tid=0x20, tls=0x99}}, 64)"),
    ("unshare", (0x10000080,), {}, "(CLONE_NEWTIME|CLONE_NEWUSER)"),
    ("execve", (0x100, 0x2000, 0x7FFD00), {0x100: b"/bin/ls\0", **ARGV}, r'("/bin/ls", ["ls", "-l\xff\n"], 0x7ffd00)'),
    ("execve", (0x100, 0x2000, 0), {0x2000: ARGV[0x2000][:16], 0x3000: b"ls\0"}, '(0x100, ["ls", 0x3100, ...], NULL)'),
    ("execveat", (HERE, 0x100, 0x2000, 0, 0x1000), {0x100: b"\0", **ARGV}, r'(AT_FDCWD, "", ["ls", "-l\xff\n"], NULL, AT_EMPTY_PATH)'),
    ("kill", (17, 15), {}, "(17, SIGTERM)"),
    ("kill", (MINUS, 0), {}, "(-1, 0)"),
    ("tgkill", (17, 18, 34), {}, "(17, 18, SIGRT_2)"),
    ("exit_group", (3,), {}, "(3)"),
    ("mmap", (0, 4096, 3, 0x22, MINUS, 0), {}, "(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"),
    ("mprotect", (0x1000, 4096, 0), {}, "(0x1000, 4096, PROT_NONE)"),
    ("fcntl", (3, 4, os.O_NONBLOCK), {}, "(3, F_SETFL, O_RDONLY|O_NONBLOCK)"),
    ("fcntl", (3, 3, 99), {}, "(3, F_GETFL)"),
    ("ioctl", (3, 0x5401, 0x7FFF0000), {}, "(3, 0x5401, 0x7fff0000)"),
    ("lseek", (3, 2**64 - 5, 1), {}, "(3, -5, SEEK_CUR)"),
    ("ppoll", (0x100, 1, 0, 0, 8), {0x100: struct.pack("=ihh", 3, 5, 0)}, "([{fd=3, events=POLLIN|POLLOUT}], 1, NULL, NULL, 8)"),
    ("epoll_ctl", (4, 1, 5, 0x100), {0x100: EPOLL}, "(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN|EPOLLET, data=5})"),
    ("pselect6", (5, 0x100, 0, 0, 0, 0), {0x100: struct.pack("=Q", 0b11000)}, "(5, [3, 4], NULL, NULL, NULL, NULL)"),
    ("nanosleep", (0x100, 0), {0x100: struct.pack("=qq", 1, 500)}, "({tv_sec=1, tv_nsec=500}, NULL)"),
    ("futex", (0x100, 0x81, 1, 9, 9, 9), {}, "(0x100, FUTEX_WAKE|FUTEX_PRIVATE_FLAG, 1)"),
    ("rt_sigprocmask", (0, 0x100, 0x200, 8), {0x100: struct.pack("=Q", 0x10001)}, "(SIG_BLOCK, [HUP CHLD], 0x200, 8)"),
    ("prlimit64", (0, 7, 0x100, 0), {0x100: struct.pack("=qq", 64, -1)}, "(0, RLIMIT_NOFILE, {rlim_cur=64, rlim_max=RLIM_INFINITY}, NULL)"),
    ("openat2", (HERE, 0x100, 0x200, 24), {0x100: b"x\0", 0x200: struct.pack("=QQQ", os.O_PATH, 0, 16)}, '(AT_FDCWD, "x", {flags=O_RDONLY|O_PATH, mode=0000, resolve=RESOLVE_IN_ROOT}, 24)'),
    ("io_uring_setup", (8, 0x7F00), {}, "(8, 0x7f00)"),
    ("landlock_restrict_self", (5, 0), {}, "(5, 0)"),
    ("memfd_create", (0x100, 1), {0x100: b"m\0"}, '("m", MFD_CLOEXEC)'),
    ("syscall_999", (1, 2), {}, "(0x1, 0x2, 0x0, 0x0, 0x0, 0x0)"),
]  # fmt: skip

EXITS: list[tuple[str, tuple[int, ...], Memory, int, str]] = [
    ("read", (0, 0x100, 9), {0x100: b"hi\n"}, 3, r'(0, "hi\n", 9)'),
    ("read", (0, 0x100, 9), {0x100: b"hi\n"}, -11, "(0, 0x100, 9)"),
    ("read", (0, 0x100, 9), {}, 0, '(0, "", 9)'),
    ("recvfrom", (3, 0x100, 2, 0x20, 0, 0), {0x100: b"ab"}, 700, '(3, "ab", 2, MSG_TRUNC, NULL, NULL)'),
    ("recvfrom", (3, 0x100, 9, 0, 0x200, 0x300), {0x100: b"a", 0x200: INET, 0x300: struct.pack("i", 16)}, 1, '(3, "a", 9, 0, 127.0.0.1:8080, [16])'),
    ("accept", (3, 0x200, 0x300), {0x200: INET6, 0x300: struct.pack("i", 28)}, 4, "(3, [::1]:53, [28])"),
    ("accept", (3, 0, 0), {}, 4, "(3, NULL, NULL)"),
    ("getsockname", (3, 0x200, 0x300), {0x200: UNIX[:2], 0x300: struct.pack("i", 2)}, 0, "(3, {AF_UNIX}, [2])"),
    ("getsockopt", (3, 1, 4, 0x200, 0x300), {0x200: struct.pack("i", 111), 0x300: struct.pack("i", 4)}, 0, "(3, SOL_SOCKET, SO_ERROR, [111], [4])"),
    ("readv", (3, 0x6000, 2), VECTOR, 7, '(3, ["hello", "01"], 2)'),
    ("recvmsg", (3, 0x4000, 0), MESSAGE, 5, '(3, {name=127.0.0.1:8080, iov=["hello", ""]}, 0)'),
    ("recvmmsg", (3, 0x4000, 2, 0, 0), MESSAGE | {0x4000: MSGHDR + struct.pack("=I4x", 6)}, 1, '(3, [{name=127.0.0.1:8080, iov=["hello", "0"], len=6}], 2, 0, NULL)'),
    ("pipe2", (0x100, os.O_CLOEXEC), {0x100: struct.pack("2i", 3, 4)}, 0, "([3, 4], O_CLOEXEC)"),
    ("wait4", (2**64 - 1, 0x100, 1, 0), {0x100: struct.pack("i", 9)}, 17, "(-1, [killed by SIGKILL], WNOHANG, NULL)"),
    ("readlinkat", (HERE, 0x100, 0x200, 99), {0x200: b"/target"}, 7, '(AT_FDCWD, 0x100, "/target", 99)'),
    ("getcwd", (0x100, 99), {0x100: b"/tmp\0"}, 5, '("/tmp", 99)'),
    ("ppoll", (0x100, 1, 0, 0, 8), {0x100: struct.pack("=ihh", 3, 1, 17)}, 1, "([{fd=3, events=POLLIN, revents=POLLIN|POLLHUP}], 1, NULL, NULL, 8)"),
    ("epoll_pwait", (4, 0x100, 8, MINUS, 0, 8), {0x100: EPOLL}, 1, "(4, [{events=EPOLLIN|EPOLLET, data=5}], 8, -1, NULL, 8)"),
]  # fmt: skip

COMPAT: list[tuple[str, tuple[int, ...], Memory, int | None, str]] = [
    ("execve", (0x100, 0x2000, 0xFFFFD000), {0x100: b"/bin/ls\0", **ARGV, 0x2000: struct.pack("=3I", 0x3000, 0x3100, 0)}, None, r'("/bin/ls", ["ls", "-l\xff\n"], 0xffffd000)'),
    ("nanosleep", (0x100, 0), {0x100: struct.pack("=ii", 1, 500)}, None, "({tv_sec=1, tv_nsec=500}, NULL)"),
    ("clock_nanosleep_time64", (1, 1, 0x100, 0), {0x100: struct.pack("=qq", 1, 5)}, None, "(CLOCK_MONOTONIC, TIMER_ABSTIME, {tv_sec=1, tv_nsec=5}, NULL)"),
    ("sendmsg", (3, 0x100, 0), {0x100: struct.pack("=7I", 0, 0, 0x200, 1, 0, 0, 0), 0x200: struct.pack("=2I", 0x7000, 5), 0x7000: b"hello"}, None, '(3, {name=NULL, iov=["hello"]}, 0)'),
    ("socketcall", (3, 0x100), {0x100: struct.pack("=6I", 3, 0x200, 16, 9, 9, 9), 0x200: INET}, None, "(SYS_CONNECT, [3, 127.0.0.1:8080, 16])"),
    ("socketcall", (10, 0x100), {0x100: struct.pack("=6I", 3, 0x200, 9, 0, 9, 9), 0x200: b"ab"}, 2, '(SYS_RECV, [3, "ab", 9, 0])'),
    ("socketcall", (99, 0x100), {}, None, "(99, 0x100)"),
    ("mmap2", (0, 4096, 1, 2, 3, 1), {}, None, "(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 1)"),
    ("pread64", (3, 0x100, 5, 7, 0), {0x100: b"ab"}, 2, '(3, "ab", 5, 7, 0)'),
    ("clone", (0x100 | 17, 0xFFFF0000, 0, 0x55, 0x66), {}, None, "(CLONE_VM|SIGCHLD, 0xffff0000, NULL, 0x55, 0x66)"),
    ("lseek", (3, 2**32 - 5, 1), {}, None, "(3, -5, SEEK_CUR)"),
]  # fmt: skip
