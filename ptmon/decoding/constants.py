# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of the numbers that system calls take: python-ptrace's, and what its tables lack.

Source where nothing else is said: include/uapi of Linux. What differs from one machine to the other is Python's.
"""

from __future__ import annotations

import os
import signal

from ptmon.addresses import INET_PROTOCOLS, NETLINK_PROTOCOLS
from ptmon.decoding.python_ptrace import (
    ACCESS_MODE_BITMASK,
    CLONE_FLAGS_BITMASK,
    MMAP_PROT_BITMASK,
    RLIMIT_RESOURCE,
    SIGPROCMASK_HOW,
    SOCKET_FAMILY,
    SOCKET_TYPE,
    SOCKETCALL,
    SYSCALL_ARG_DICT,
    signalName,
)
from ptmon.decoding.words import Bits, chosen, flags


def _pairs(prefix: str, text: str) -> list[tuple[int, str]]:
    """``A=1 B C=0x10``: a name without a number has the next one."""
    number, pairs = -1, []
    for word in text.split():
        name, _, value = word.partition("=")
        number = int(value, 0) if value else number + 1
        pairs.append((number, prefix + name))
    return pairs


def _names(prefix: str, text: str) -> dict[int, str]:
    return dict(_pairs(prefix, text))


def _of_os(*names: str) -> list[tuple[int, str]]:
    return [(value, name) for name in names if (value := getattr(os, name, 0))]


O_LARGEFILE = 0o400000 if os.uname().machine == "aarch64" else 0o100000  # Python's is 0 on 64-bit machines
# O_SYNC has the bit of O_DSYNC in it, O_TMPFILE that of O_DIRECTORY.
_OPEN: Bits = [
    *_of_os("O_WRONLY", "O_RDWR", "O_CREAT", "O_EXCL", "O_NOCTTY", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_SYNC"),
    *_of_os("O_DSYNC", "O_ASYNC", "O_DIRECT", "O_TMPFILE", "O_DIRECTORY", "O_NOFOLLOW", "O_NOATIME", "O_CLOEXEC"),
    *_of_os("O_PATH"),
    (O_LARGEFILE, "O_LARGEFILE"),
]
_plain_flags = flags(_OPEN)


def open_flags(value: int) -> str:
    """With the access mode first, which is a number and not a bit."""
    text = _plain_flags(value)
    if value & os.O_ACCMODE:
        return text
    return "O_RDONLY" if text == "0" else f"O_RDONLY|{text}"


fd_flags = flags(_OPEN)
eventfd_flags = flags([(1, "EFD_SEMAPHORE"), *_OPEN])
timerfd_flags = flags([(1, "TFD_TIMER_ABSTIME"), (2, "TFD_TIMER_CANCEL_ON_SET"), *_OPEN])
access_mode = flags(ACCESS_MODE_BITMASK, "F_OK")
_AT = _pairs("AT_", "SYMLINK_NOFOLLOW=0x100 SYMLINK_FOLLOW=0x400 NO_AUTOMOUNT=0x800 EMPTY_PATH=0x1000")
at_flags = flags([*_AT, (0x200, "AT_EACCESS"), (0x2000, "AT_STATX_FORCE_SYNC"), (0x4000, "AT_STATX_DONT_SYNC")])
unlink_flags = flags([*_AT, (0x200, "AT_REMOVEDIR")])
rename_flags = flags(_pairs("RENAME_", "NOREPLACE=1 EXCHANGE=2 WHITEOUT=4"))
resolve_flags = flags(_pairs("RESOLVE_", "NO_XDEV=1 NO_MAGICLINKS=2 NO_SYMLINKS=4 BENEATH=8 IN_ROOT=16 CACHED=32"))
close_range_flags = flags(_pairs("CLOSE_RANGE_", "UNSHARE=2 CLOEXEC=4"))
random_flags = flags(_pairs("GRND_", "NONBLOCK=1 RANDOM=2 INSECURE=4"))
memfd_flags = flags(_pairs("MFD_", "CLOEXEC=1 ALLOW_SEALING=2 HUGETLB=4 NOEXEC_SEAL=8 EXEC=16"))
splice_flags = flags(_pairs("SPLICE_F_", "MOVE=1 NONBLOCK=2 MORE=4 GIFT=8"))
rwf_flags = flags(_pairs("RWF_", "HIPRI=1 DSYNC=2 SYNC=4 NOWAIT=8 APPEND=16 NOAPPEND=32 ATOMIC=64 DONTCACHE=128"))
whence = chosen(_names("SEEK_", "SET CUR END DATA HOLE"))
lock = flags(_pairs("LOCK_", "SH=1 EX=2 NB=4 UN=8"))
FCNTL = SYSCALL_ARG_DICT["fcntl"]["cmd"] | _names(
    "F_",
    """SETSIG=10 GETSIG GETLK64 SETLK64 SETLKW64 SETOWN_EX GETOWN_EX OFD_GETLK=36 OFD_SETLK OFD_SETLKW
    SETLEASE=1024 GETLEASE NOTIFY CREATED_QUERY=1028 CANCELLK DUPFD_CLOEXEC SETPIPE_SZ GETPIPE_SZ ADD_SEALS
    GET_SEALS""",
)

prot = flags(MMAP_PROT_BITMASK, "PROT_NONE")
_MAP = """FIXED=0x10 ANONYMOUS=0x20 32BIT=0x40 GROWSDOWN=0x100 DENYWRITE=0x800 EXECUTABLE=0x1000 LOCKED=0x2000
    NORESERVE=0x4000 POPULATE=0x8000 NONBLOCK=0x10000 STACK=0x20000 HUGETLB=0x40000 SYNC=0x80000
    FIXED_NOREPLACE=0x100000"""
map_flags = chosen(_names("MAP_", "FILE SHARED PRIVATE SHARED_VALIDATE"), _pairs("MAP_", _MAP), ~0x0F)
remap_flags = flags(_pairs("MREMAP_", "MAYMOVE=1 FIXED=2 DONTUNMAP=4"))
sync_flags = flags(_pairs("MS_", "ASYNC=1 INVALIDATE=2 SYNC=4"))
advice = chosen(
    _names(
        "MADV_",
        """NORMAL RANDOM SEQUENTIAL WILLNEED DONTNEED FREE=8 REMOVE DONTFORK DOFORK MERGEABLE UNMERGEABLE HUGEPAGE
        NOHUGEPAGE DONTDUMP DODUMP WIPEONFORK KEEPONFORK COLD PAGEOUT POPULATE_READ POPULATE_WRITE DONTNEED_LOCKED
        COLLAPSE HWPOISON=100 SOFT_OFFLINE GUARD_INSTALL GUARD_REMOVE""",
    )
)

_SPACES = "NEWTIME=0x80 NEWCGROUP=0x2000000 NEWUSER=0x10000000 NEWPID=0x20000000 NEWNET=0x40000000 IO=0x80000000"
# Bits that have since got another meaning in the kernel than python-ptrace's table says.
CLONE: Bits = [
    *[(mask, name) for mask, name in CLONE_FLAGS_BITMASK if name != "CLONE_STOPPED"],
    *_pairs("CLONE_", f"PIDFD=0x1000 {_SPACES} CLEAR_SIGHAND=0x100000000 INTO_CGROUP=0x200000000"),
]
unshare_flags = flags(CLONE)
_clone_flags = flags([(mask, name) for mask, name in CLONE if mask != 0x80])


def signal_name(number: int) -> str:
    """SIGTERM; SIGRT_1 for the real-time ones, of which the C library keeps the first for itself; else the number."""
    if 32 <= number <= 64:
        return f"SIGRT_{number - 32}"
    return str(signalName(number)) if number in signal.valid_signals() else str(number)


def clone_flags(value: int) -> str:
    """Of clone(2): the last byte is the signal that tells the parent of the end."""
    head, number = value & ~0xFF, value & 0xFF
    if not number:
        return _clone_flags(head)
    return f"{_clone_flags(head)}|{signal_name(number)}" if head else signal_name(number)


FAMILY = SOCKET_FAMILY | _names(
    "AF_",
    """UNIX=1 RDS=21 LLC=26 IB MPLS CAN TIPC BLUETOOTH IUCV RXRPC ISDN PHONET IEEE802154 CAIF ALG NFC VSOCK KCM QIPCRTR
    SMC XDP MCTP""",
)
family = chosen(FAMILY)
_SOCK: Bits = _of_os("O_NONBLOCK", "O_CLOEXEC")
_SOCK = [(mask, name.replace("O_", "SOCK_")) for mask, name in _SOCK]
socket_type = chosen(SOCKET_TYPE | {6: "SOCK_DCCP"}, _SOCK, ~0x0F)
accept_flags = flags(_SOCK)
INET = {number: f"IPPROTO_{name.upper()}" for number, name in INET_PROTOCOLS.items()}
NETLINK = {number: f"NETLINK_{name.upper()}" for number, name in NETLINK_PROTOCOLS.items()}
_MSG = """OOB=1 PEEK=2 DONTROUTE=4 CTRUNC=8 PROBE=0x10 TRUNC=0x20 DONTWAIT=0x40 EOR=0x80 WAITALL=0x100 FIN=0x200
    SYN=0x400 CONFIRM=0x800 RST=0x1000 ERRQUEUE=0x2000 NOSIGNAL=0x4000 MORE=0x8000 WAITFORONE=0x10000 BATCH=0x40000
    ZEROCOPY=0x4000000 FASTOPEN=0x20000000 CMSG_CLOEXEC=0x40000000"""
message_flags = flags(_pairs("MSG_", _MSG))
shutdown_how = chosen(_names("SHUT_", "RD WR RDWR"))
SOCKETCALLS: dict[int, str] = SOCKETCALL | {18: "accept4", 19: "recvmmsg", 20: "sendmmsg"}
LEVEL = _names(
    "SOL_", "IP SOCKET TCP=6 UDP=17 IPV6=41 RAW=255 SCTP=132 PACKET=263 NETLINK=270 TLS=282 VSOCK=287 MPTCP=284"
)
# Python's socket module has these under the same numbers on every machine that ptmon knows.
OPTION: dict[int, dict[int, str]] = {
    0: _names(
        "IP_",
        """TOS=1 TTL HDRINCL OPTIONS RECVOPTS=6 RETOPTS PKTINFO MTU_DISCOVER=10 RECVERR RECVTTL RECVTOS MTU FREEBIND
        TRANSPARENT=19 ORIGDSTADDR BIND_ADDRESS_NO_PORT=24 MULTICAST_IF=32 MULTICAST_TTL MULTICAST_LOOP ADD_MEMBERSHIP
        DROP_MEMBERSHIP""",
    ),
    1: _names(
        "SO_",
        """DEBUG=1 REUSEADDR TYPE ERROR DONTROUTE BROADCAST SNDBUF RCVBUF KEEPALIVE OOBINLINE NO_CHECK PRIORITY LINGER
        BSDCOMPAT REUSEPORT PASSCRED PEERCRED RCVLOWAT SNDLOWAT RCVTIMEO SNDTIMEO BINDTODEVICE=25 ATTACH_FILTER
        DETACH_FILTER PEERNAME TIMESTAMP ACCEPTCONN PEERSEC SNDBUFFORCE RCVBUFFORCE PASSSEC TIMESTAMPNS MARK
        TIMESTAMPING PROTOCOL DOMAIN RXQ_OVFL WIFI_STATUS PEEK_OFF NOFCS LOCK_FILTER SELECT_ERR_QUEUE BUSY_POLL
        MAX_PACING_RATE BPF_EXTENSIONS INCOMING_CPU ATTACH_BPF ATTACH_REUSEPORT_CBPF ATTACH_REUSEPORT_EBPF CNX_ADVICE
        MEMINFO=55 INCOMING_NAPI_ID COOKIE PEERGROUPS=59 ZEROCOPY TXTIME BINDTOIFINDEX TIMESTAMP_NEW TIMESTAMPNS_NEW
        TIMESTAMPING_NEW RCVTIMEO_NEW SNDTIMEO_NEW""",
    ),
    6: _names(
        "TCP_",
        """NODELAY=1 MAXSEG CORK KEEPIDLE KEEPINTVL KEEPCNT SYNCNT LINGER2 DEFER_ACCEPT WINDOW_CLAMP INFO QUICKACK
        CONGESTION MD5SIG USER_TIMEOUT=18 REPAIR REPAIR_QUEUE QUEUE_SEQ REPAIR_OPTIONS FASTOPEN TIMESTAMP
        NOTSENT_LOWAT CC_INFO SAVE_SYN SAVED_SYN REPAIR_WINDOW FASTOPEN_CONNECT ULP""",
    ),
    41: _names(
        "IPV6_",
        """UNICAST_HOPS=16 MULTICAST_IF MULTICAST_HOPS MULTICAST_LOOP ADD_MEMBERSHIP DROP_MEMBERSHIP MTU_DISCOVER=23
        MTU RECVERR V6ONLY RECVPKTINFO=49 PKTINFO RECVHOPLIMIT HOPLIMIT RECVTCLASS=66 TCLASS""",
    ),
}

FUTEX_OP = """WAIT WAKE FD REQUEUE CMP_REQUEUE WAKE_OP LOCK_PI UNLOCK_PI TRYLOCK_PI WAIT_BITSET WAKE_BITSET
    WAIT_REQUEUE_PI CMP_REQUEUE_PI LOCK_PI2"""
futex_op = chosen(_names("FUTEX_", FUTEX_OP), [(0x80, "FUTEX_PRIVATE_FLAG"), (0x100, "FUTEX_CLOCK_REALTIME")], ~0x7F)
epoll_op = chosen(_names("EPOLL_CTL_", "ADD=1 DEL MOD"))
_POLL = """IN=1 PRI=2 OUT=4 ERR=8 HUP=0x10 NVAL=0x20 RDNORM=0x40 RDBAND=0x80 WRNORM=0x100 WRBAND=0x200 MSG=0x400
    RDHUP=0x2000"""
poll_events = flags(_pairs("POLL", _POLL))
epoll_events = flags(
    [
        *_pairs("EPOLL", _POLL),
        *_pairs("EPOLL", "EXCLUSIVE=0x10000000 WAKEUP=0x20000000 ONESHOT=0x40000000 ET=0x80000000"),
    ]
)
wait_options = flags(
    _pairs("W", "NOHANG=1 STOPPED=2 EXITED=4 CONTINUED=8 NOWAIT=0x1000000")
    + _pairs("__W", "NOTHREAD=0x20000000 ALL=0x40000000 CLONE=0x80000000")
)
wait_which = chosen(_names("P_", "ALL PID PGID PIDFD"))
clock = chosen(
    _names(
        "CLOCK_",
        """REALTIME MONOTONIC PROCESS_CPUTIME_ID THREAD_CPUTIME_ID MONOTONIC_RAW REALTIME_COARSE MONOTONIC_COARSE
        BOOTTIME REALTIME_ALARM BOOTTIME_ALARM TAI=11""",
    )
)
timer_flags = flags([(1, "TIMER_ABSTIME")])
resource = chosen(RLIMIT_RESOURCE | {14: "RLIMIT_RTPRIO", 15: "RLIMIT_RTTIME"})
mask_how = chosen(SIGPROCMASK_HOW)
seccomp_op = chosen(_names("SECCOMP_", "SET_MODE_STRICT SET_MODE_FILTER GET_ACTION_AVAIL GET_NOTIF_SIZES"))
prctl_option = chosen(
    _names(
        "PR_",
        """SET_PDEATHSIG=1 GET_PDEATHSIG GET_DUMPABLE SET_DUMPABLE GET_KEEPCAPS=7 SET_KEEPCAPS SET_NAME=15 GET_NAME
        GET_SECCOMP=21 SET_SECCOMP CAPBSET_READ CAPBSET_DROP GET_TSC SET_TSC GET_SECUREBITS SET_SECUREBITS
        SET_TIMERSLACK GET_TIMERSLACK SET_MM=35 SET_CHILD_SUBREAPER GET_CHILD_SUBREAPER SET_NO_NEW_PRIVS
        GET_NO_NEW_PRIVS SET_THP_DISABLE=41 GET_THP_DISABLE
        CAP_AMBIENT=47 GET_SPECULATION_CTRL=52 SET_SPECULATION_CTRL SCHED_CORE=62 SET_MDWE=65 GET_MDWE
        SET_VMA=0x53564d41 SET_PTRACER=0x59616d61""",
    )
)
arch_prctl_option = chosen(_names("ARCH_", "SET_GS=0x1001 SET_FS GET_FS GET_GS"))
ptrace_request = chosen(
    _names(
        "PTRACE_",
        """TRACEME PEEKTEXT PEEKDATA PEEKUSER POKETEXT POKEDATA POKEUSER CONT KILL SINGLESTEP GETREGS=12 SETREGS
        GETFPREGS SETFPREGS ATTACH DETACH SYSCALL=24 SETOPTIONS=0x4200 GETEVENTMSG GETSIGINFO SETSIGINFO
        GETREGSET SETREGSET SEIZE INTERRUPT LISTEN PEEKSIGINFO GETSIGMASK SETSIGMASK SECCOMP_GET_FILTER
        SECCOMP_GET_METADATA GET_SYSCALL_INFO GET_RSEQ_CONFIGURATION""",
    )
)
