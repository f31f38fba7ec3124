# SPDX-License-Identifier: GPL-2.0-or-later
"""What native/build_ffi.py makes of native/ptmon_api.h. Written by native/build_stub.py; each type in C is behind it.

The structs are names for type checkers alone: ffi.new() makes them, and no module has them.
"""

from collections.abc import Sequence
from typing import Any, Final

ffi: Any
Pointer = Any

class pt_record:
    time: int  # uint64_t
    calls: int  # uint64_t
    bytes: int  # uint64_t
    kind: int  # uint32_t
    tgid: int  # int32_t
    tid: int  # int32_t
    fd: int  # int32_t
    socket: int  # uint32_t
    error: int  # int32_t
    value: int  # int32_t
    syscall: int  # uint16_t
    direction: int  # uint8_t
    fast: int  # uint8_t
    data_offset: int  # uint32_t
    data_length: int  # uint32_t

class pt_socket_info:
    inode: int  # uint64_t
    family: int  # int32_t
    type: int  # int32_t
    protocol: int  # int32_t
    local_length: int  # uint32_t
    peer_length: int  # uint32_t
    local: Sequence[int]  # uint8_t[128]
    peer: Sequence[int]  # uint8_t[128]
    opened: int  # uint64_t
    connect: int  # uint64_t
    origin: int  # uint32_t
    reserved: int  # uint32_t

class pt_connect:
    socket: pt_socket_info  # struct pt_socket_info
    took: int  # uint64_t

class pt_payload:
    inode: int  # uint64_t
    moved: int  # uint64_t
    family: int  # int32_t
    type: int  # int32_t
    peer_length: int  # uint32_t
    peer: Sequence[int]  # uint8_t[128]
    reserved: int  # uint32_t

class pt_tcp_info:
    bytes_sent: int  # uint64_t
    bytes_received: int  # uint64_t
    retransmitted: int  # uint64_t
    rtt_us: int  # uint32_t
    auditable: int  # uint32_t

class pt_life:
    inode: int  # uint64_t
    opened: int  # uint64_t
    connect: int  # uint64_t
    closed: int  # uint64_t
    sent: int  # uint64_t
    received: int  # uint64_t
    peeked: int  # uint64_t
    calls_sent: int  # uint64_t
    calls_received: int  # uint64_t
    tcp: pt_tcp_info  # struct pt_tcp_info
    row: int  # uint32_t
    tgid: int  # int32_t
    family: int  # int32_t
    type: int  # int32_t
    protocol: int  # int32_t
    origin: int  # uint32_t
    local_length: int  # uint8_t
    peer_length: int  # uint8_t
    is_tcp: int  # uint8_t
    local: Sequence[int]  # uint8_t[28]
    peer: Sequence[int]  # uint8_t[28]

class pt_batch:
    records: Pointer  # struct pt_record const *
    data: Pointer  # uint8_t const *
    lives: Pointer  # struct pt_life const *
    steps: Pointer  # uint32_t const *
    count: int  # uint32_t
    data_length: int  # uint32_t
    life_count: int  # uint32_t
    step_count: int  # uint32_t
    signal: int  # int32_t
    reopen: int  # int32_t
    tracees: int  # uint32_t
    time: int  # uint64_t

class pt_debug_entry:
    time: int  # uint64_t
    number: int  # uint64_t
    address: int  # uint64_t
    count: int  # uint64_t
    length: int  # uint64_t
    result: int  # int64_t
    tid: int  # int32_t
    status: int  # int32_t
    error: int  # int32_t
    event: int  # uint16_t
    op: int  # uint8_t
    compat: int  # uint8_t
    next: int  # uint8_t
    signal: int  # uint8_t
    reserved: Sequence[int]  # uint8_t[6]

class pt_debug:
    what: int  # uint32_t
    count: int  # uint64_t
    stop: int  # uint64_t
    entries: Sequence[pt_debug_entry]  # struct pt_debug_entry[4096]

class pt_site:
    address: int  # uint64_t
    offset: int  # uint64_t
    stops: int  # uint64_t
    file: int  # uint32_t
    numbers: Sequence[int]  # uint32_t[4]
    number_count: int  # uint8_t
    more: int  # uint8_t
    compat: int  # uint8_t
    verdict: int  # uint8_t

class pt_options:
    only: Pointer  # char const *
    seccomp: int  # int32_t
    no_follow: int  # int32_t
    no_io_uring: int  # int32_t
    aggregate: int  # int32_t
    fast: int  # int32_t
    embedded: int  # int32_t
    reopens: int  # int32_t
    ignored_known: int  # int32_t
    ignored: int  # uint64_t
    cwd: Pointer  # char const *
    streams: int  # int32_t
    out: int  # int32_t
    err: int  # int32_t
    names: int  # int32_t
    content: int  # uint32_t
    explain: int  # int32_t
    lives: int  # int32_t
    debug: Pointer  # struct pt_debug *

class pt_capture:
    kind: int  # uint8_t
    at_entry: int  # uint8_t
    at_exit: int  # uint8_t
    reserved: int  # uint8_t
    most: int  # uint32_t

class pt_watch:
    number: int  # uint64_t
    compat: int  # int32_t
    emit: int  # int32_t
    hold: int  # int32_t
    captures: Sequence[pt_capture]  # struct pt_capture[6]

class pt_chunk:
    address: int  # uint64_t
    length: int  # uint64_t

class pt_prefix:
    family: int  # int32_t
    bits: int  # uint32_t
    address: Sequence[int]  # uint8_t[16]

class pt_rule:
    number: int  # uint64_t
    compat: int  # int32_t
    condition: int  # int32_t
    argument: int  # int32_t
    value: int  # int32_t
    error: int  # int32_t
    id: int  # int32_t
    emit: int  # int32_t
    outside: int  # int32_t
    prefixes: Pointer  # struct pt_prefix const *
    prefix_count: int  # uint32_t

class pt_call:
    number: int  # uint64_t
    args: Sequence[int]  # uint64_t[6]
    result: int  # int64_t
    at_exit: int  # int32_t
    compat: int  # int32_t
    syscall: int  # uint16_t

class pt_identity:
    info: pt_socket_info  # struct pt_socket_info
    tcp: pt_tcp_info  # struct pt_tcp_info
    is_tcp: int  # int32_t
    active: int  # int32_t
    closed: int  # int32_t

class pt_group:
    bytes: int  # uint64_t
    first: int  # uint32_t
    count: int  # uint32_t

class pt_frame:
    head: int  # uint32_t
    middle: int  # uint32_t
    tail: int  # uint32_t

class Lib:
    # enum pt_kind
    PT_TRANSFER: Final = 1
    PT_CLONE: Final = 2
    PT_EXEC: Final = 3
    PT_ATTACHED: Final = 4
    PT_EXIT: Final = 5
    PT_SOCKET: Final = 6
    PT_CLOSE: Final = 7
    PT_WARNING: Final = 8
    PT_ENTER: Final = 9
    PT_RETURN: Final = 10
    PT_DENIED: Final = 11
    PT_HELD: Final = 12
    PT_FALLBACK: Final = 13
    PT_SITE: Final = 14
    PT_INSIDE: Final = 15
    PT_CONNECT: Final = 16
    PT_PAYLOAD: Final = 17
    PT_LIVES: Final = 18
    PT_CONTENT: Final = 19
    # enum pt_direction
    PT_SENT: Final = 1
    PT_RECEIVED: Final = 2
    PT_PEEKED: Final = 3
    # enum pt_origin
    PT_ORIGIN_UNKNOWN: Final = 0
    PT_ORIGIN_NONE: Final = 1
    PT_ORIGIN_CONNECTED: Final = 2
    PT_ORIGIN_ACCEPTED: Final = 3
    PT_ORIGIN_BOUND: Final = 4
    PT_ORIGIN_PAIR: Final = 5
    # enum pt_connected
    PT_CONNECTED_RETURNED: Final = 0
    PT_CONNECTED_ESTABLISHED: Final = 1
    PT_CONNECTED_FAILED: Final = 2
    PT_CONNECTED_ABANDONED: Final = 3
    # enum pt_reason
    PT_REASON_IO_URING: Final = 1
    PT_REASON_AIO: Final = 2
    PT_REASON_UNREADABLE: Final = 3
    PT_REASON_X32: Final = 4
    PT_REASON_UNTRACED: Final = 5
    PT_REASON_PTRACE: Final = 6
    PT_REASON_NO_MEMORY: Final = 7
    PT_REASON_DETACHED: Final = 8
    PT_REASON_UNATTRIBUTED: Final = 9
    PT_REASON_INTERRUPTED: Final = 12
    PT_REASON_FORGED: Final = 10
    PT_REASON_UNASKED: Final = 11
    PT_REASON_CODE: Final = 13
    PT_REASON_TRACED: Final = 14
    PT_REASON_FORBIDDEN: Final = 15
    PT_REASON_UNATTACHED: Final = 16
    PT_REASON_COMPAT: Final = 17
    PT_REASON_RECORDING: Final = 18
    # enum pt_fallback
    PT_FALLBACK_MACHINE: Final = 1
    PT_FALLBACK_SANDBOX: Final = 2
    PT_FALLBACK_DISPATCH: Final = 3
    PT_FALLBACK_MEMORY: Final = 4
    PT_FALLBACK_TAKEN: Final = 5
    PT_FALLBACK_CODE: Final = 6
    PT_FALLBACK_COMPAT: Final = 7
    PT_FALLBACK_DESCRIPTORS: Final = 8
    PT_FALLBACK_UNREADABLE: Final = 9
    PT_FALLBACK_THREADS: Final = 10
    PT_FALLBACK_LIMITED: Final = 11
    PT_FALLBACK_ROOM: Final = 12
    PT_FALLBACK_LEFT: Final = 13
    PT_FALLBACK_PROC: Final = 15
    PT_FALLBACK_CLOCK: Final = 16
    PT_FALLBACK_RINGS: Final = 17
    PT_FALLBACK_UNFOLLOWED: Final = 18
    PT_FALLBACK_FILTER: Final = 19
    # enum pt_row_number
    PT_IN_LIFE: Final = -1
    # enum pt_life_size
    PT_LIFE_ADDRESS: Final = 28
    # enum pt_debug_what
    PT_DEBUG_STOPS: Final = 1
    PT_DEBUG_PATCH: Final = 2
    PT_DEBUG_RING: Final = 4
    PT_DEBUG_SOCKETS: Final = 8
    # enum pt_debug_event
    PT_DEBUG_STOP: Final = 0
    PT_DEBUG_RESUMED: Final = 1
    PT_DEBUG_OVERTAKEN: Final = 2
    PT_DEBUG_MAPPED: Final = 16
    PT_DEBUG_CODE: Final = 17
    PT_DEBUG_SITE: Final = 18
    PT_DEBUG_JUMPS: Final = 19
    PT_DEBUG_HALT: Final = 20
    PT_DEBUG_LATER: Final = 21
    PT_DEBUG_FREE: Final = 22
    PT_DEBUG_FELL_BACK: Final = 23
    PT_DEBUG_WITHDRAWN: Final = 24
    PT_DEBUG_UNMAPPED: Final = 25
    PT_DEBUG_RETRY: Final = 26
    PT_DEBUG_DRAIN: Final = 32
    PT_DEBUG_FULL: Final = 33
    PT_DEBUG_LOST: Final = 34
    PT_DEBUG_IDENTIFIED: Final = 48
    PT_DEBUG_LEARNT: Final = 49
    PT_DEBUG_CLOSING: Final = 50
    PT_DEBUG_AUDIT: Final = 51
    # enum pt_debug_memory
    PT_DEBUG_NEW: Final = 0
    PT_DEBUG_ADOPTED: Final = 1
    PT_DEBUG_COPIED: Final = 2
    # enum pt_debug_next
    PT_DEBUG_IN_HAND: Final = 0
    PT_DEBUG_CONT: Final = 1
    PT_DEBUG_SYSCALL: Final = 2
    PT_DEBUG_STEP: Final = 3
    PT_DEBUG_LISTEN: Final = 4
    PT_DEBUG_DETACH: Final = 5
    PT_DEBUG_STAYS: Final = 6
    PT_DEBUG_GONE: Final = 7
    # enum pt_debug_size
    PT_DEBUG_ENTRIES: Final = 4096
    # enum pt_verdict
    PT_SITE_REPLACED: Final = 1
    PT_SITE_CHOSEN: Final = 2
    PT_SITE_OTHER: Final = 3
    PT_SITE_ANY: Final = 4
    PT_SITE_FOREIGN: Final = 5
    PT_SITE_DATA: Final = 6
    PT_SITE_ENTERED: Final = 7
    PT_SITE_FLAGS: Final = 8
    PT_SITE_SHORT: Final = 9
    PT_SITE_CHANGED: Final = 10
    PT_SITE_FULL: Final = 11
    PT_SITE_BUSY: Final = 12
    PT_SITE_WRITABLE: Final = 13
    PT_SITE_WITHDRAWN: Final = 14
    PT_SITE_FELL_BACK: Final = 15
    PT_SITE_EARLY: Final = 16
    PT_SITE_OFF: Final = 17
    # enum pt_seccomp
    PT_SECCOMP_AUTO: Final = 0
    PT_SECCOMP_ON: Final = 1
    PT_SECCOMP_OFF: Final = 2
    # enum pt_capture_kind
    PT_CAPTURE_NOTHING: Final = 0
    PT_CAPTURE_STRING: Final = 1
    PT_CAPTURE_STRINGS: Final = 2
    PT_CAPTURE_BYTES: Final = 3
    PT_CAPTURE_SIZED: Final = 4
    PT_CAPTURE_RESULT: Final = 5
    PT_CAPTURE_POINTED: Final = 6
    PT_CAPTURE_MSGHDR: Final = 7
    PT_CAPTURE_MMSGHDR: Final = 8
    PT_CAPTURE_IOVEC: Final = 9
    # enum pt_condition
    PT_ALWAYS: Final = 0
    PT_IF_VALUE: Final = 1
    PT_IF_ADDRESS: Final = 2
    PT_IF_MESSAGE: Final = 3
    PT_IF_MESSAGES: Final = 4
    # enum pt_step
    PT_STEP_NONE: Final = 0
    PT_STEP_FORK: Final = 1
    PT_STEP_SEIZE: Final = 2
    PT_STEP_SECCOMP: Final = 3
    PT_STEP_EXEC: Final = 4
    PT_STEP_READ: Final = 5
    PT_STEP_DIRECTORY: Final = 6
    PT_STEP_STREAMS: Final = 7
    # enum pt_packed
    PT_PACKED_MOST: Final = 176
    def pt_create(
        self,
        _0: Pointer,  # struct pt_options const *
        _1: Pointer,  # struct pt_tracer * *
        /,
    ) -> int: ...  # int
    def pt_destroy(
        self,
        _0: Pointer,  # struct pt_tracer *
        /,
    ) -> None: ...  # void
    def pt_watch(
        self,
        _0: Pointer,  # struct pt_tracer *
        _1: Pointer,  # struct pt_watch const *
        /,
    ) -> int: ...  # int
    def pt_deny(
        self,
        _0: Pointer,  # struct pt_tracer *
        _1: Pointer,  # struct pt_rule const *
        /,
    ) -> int: ...  # int
    def pt_launch(
        self,
        _0: Pointer,  # struct pt_tracer *
        _1: Pointer,  # char const * const *
        _2: Pointer,  # char const * const *
        _3: Pointer,  # int32_t *
        /,
    ) -> int: ...  # int
    def pt_attach(
        self,
        _0: Pointer,  # struct pt_tracer *
        _1: int,  # int
        _2: Pointer,  # int32_t *
        /,
    ) -> int: ...  # int
    def pt_run(
        self,
        _0: Pointer,  # struct pt_tracer *
        _1: int,  # int
        _2: Pointer,  # struct pt_batch *
        /,
    ) -> int: ...  # int
    def pt_answer(
        self,
        _0: Pointer,  # struct pt_tracer *
        _1: int,  # int
        _2: int,  # int
        _3: int,  # int64_t
        /,
    ) -> int: ...  # int
    def pt_explain(
        self,
        _0: Pointer,  # struct pt_tracer *
        _1: Pointer,  # struct pt_batch *
        /,
    ) -> int: ...  # int
    def pt_signal(
        self,
        _0: Pointer,  # struct pt_tracer *
        _1: int,  # int
        /,
    ) -> None: ...  # void
    def pt_stop_counting(
        self,
        _0: Pointer,  # struct pt_tracer *
        /,
    ) -> None: ...  # void
    def pt_detach(
        self,
        _0: Pointer,  # struct pt_tracer *
        _1: Pointer,  # struct pt_batch *
        /,
    ) -> int: ...  # int
    def pt_blocked_signal(
        self,
        _0: int,  # unsigned int
        /,
    ) -> int: ...  # int
    def pt_syscall_name(
        self,
        _0: int,  # unsigned int
        /,
    ) -> Pointer: ...  # char const *
    def pt_read_call(
        self,
        _0: int,  # int
        _1: Pointer,  # struct pt_call *
        /,
    ) -> int: ...  # int
    def pt_read_instruction(
        self,
        _0: int,  # int
        _1: Pointer,  # uint64_t *
        /,
    ) -> int: ...  # int
    def pt_read_memory(
        self,
        _0: int,  # int
        _1: int,  # uint64_t
        _2: Pointer,  # void *
        _3: int,  # size_t
        /,
    ) -> int: ...  # int
    def pt_identify(
        self,
        _0: int,  # int
        _1: int,  # int
        _2: Pointer,  # struct pt_identity const *
        _3: Pointer,  # struct pt_identity *
        /,
    ) -> int: ...  # int
    def pt_transfers(
        self,
        _0: Pointer,  # struct pt_record const *
        _1: int,  # uint32_t
        /,
    ) -> int: ...  # uint32_t
    def pt_group(
        self,
        _0: Pointer,  # struct pt_record const *
        _1: int,  # uint32_t
        _2: int,  # uint64_t
        _3: Pointer,  # struct pt_group *
        _4: Pointer,  # uint32_t *
        /,
    ) -> int: ...  # int
    def pt_format(
        self,
        _0: Pointer,  # struct pt_record const *
        _1: int,  # uint32_t
        _2: int,  # uint64_t
        _3: Pointer,  # uint32_t const *
        _4: Pointer,  # struct pt_frame const *
        _5: int,  # uint32_t
        _6: Pointer,  # uint8_t const *
        _7: Pointer,  # uint8_t *
        _8: int,  # uint64_t
        /,
    ) -> int: ...  # int64_t
    def pt_pack(
        self,
        _0: Pointer,  # struct pt_record const *
        _1: int,  # uint32_t
        _2: Pointer,  # uint8_t *
        _3: int,  # uint64_t
        /,
    ) -> int: ...  # int64_t
    def pt_unpack(
        self,
        _0: Pointer,  # uint8_t const *
        _1: int,  # uint64_t
        _2: Pointer,  # struct pt_record *
        _3: int,  # uint32_t
        _4: int,  # uint32_t
        /,
    ) -> int: ...  # int

lib: Lib
