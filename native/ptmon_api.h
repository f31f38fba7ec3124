/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * THE BOUNDARY between the C core and Python: read by the C compiler and, as it stands, by cffi. So it holds no
 * preprocessor directive; whoever includes it includes <stdint.h> and <stddef.h> first, and includes it once.
 *
 * Functions return 0 or a positive value on success and -errno on failure. They never print.
 */

struct pt_tracer;

/* What a record tells. The comment names the fields that mean something beside time, tgid and tid. */
enum pt_kind {
	PT_TRANSFER = 1, /* calls that ended, on a socket: calls, bytes, direction, syscall, fd, socket, error */
	PT_CLONE = 2,	 /* a thread is born: tid, and tgid == tid if it is a process; value: its parent's tgid */
	PT_EXEC = 3,	 /* a program is executed; value: the tid before; data: see below */
	PT_ATTACHED = 4, /* a running process is attached; value: its parent's pid; data as in PT_EXEC */
	PT_EXIT = 5,	 /* a thread is gone; value: its wait status; data: its name */
	PT_SOCKET = 6,	/* a row of the socket table is new, or known better: socket, fd; data: struct pt_socket_info */
	PT_CLOSE = 7,	/* an fd of a socket is closed (fd -1: left open at a detach): socket, fd; data: struct
			 * pt_tcp_info, or nothing if it is no TCP socket or can't be read; value 1: read before an
			 * execve, it may stay open */
	PT_WARNING = 8, /* the report is not complete: value: enum pt_reason; error; syscall (UINT16_MAX: none) */
	PT_ENTER = 9,	/* a watched call is entered; data: see below */
	PT_RETURN = 10, /* it returns; data: see below */
	PT_DENIED = 11, /* a call was refused by a rule (error 0: noted, and made): value: the rule's id; error; data:
			 * see below */
	PT_HELD = 12,	/* a watched call stands still until pt_answer(); the last of its batch; data: see below */
	PT_FALLBACK = 13, /* calls of this process stop, though fast was asked for: value: enum pt_fallback; error */
	PT_SITE = 14,	/* with explain: a place in its program that makes calls; data: struct pt_site, then the path of
			 * its file as /proc/PID/maps has it */
	PT_INSIDE = 15, /* with explain: so many calls of it were counted inside of it: calls, syscall */
	PT_CONNECT = 16, /* what connect(2) came to: fd, value: enum pt_connected; error; data: struct pt_connect */
	PT_PAYLOAD = 17, /* with names: what was moved, from which names may be read: fd, socket, direction; data:
			  * struct pt_payload, then the first of the bytes */
	PT_LIVES =
		18, /* with lives: so many steps (calls) of the batch's: those behind the ones that were told before */
	PT_CONTENT = 19 /* with content: what a call has moved, or one message of it: fd, socket, direction, syscall,
			 * bytes; value 1: the socket was there before; data: the first of the bytes, as far as they
			 * could be read */
};
/* The data of PT_EXEC and PT_ATTACHED: strings that each end in a NUL: name (comm), path of the executable, argv...
 * The data of PT_ENTER, PT_RETURN, PT_DENIED and PT_HELD: struct pt_call, then struct pt_chunk after struct pt_chunk,
 * each with its bytes behind it, padded to a multiple of 8. */

enum pt_direction {
	PT_SENT = 1,
	PT_RECEIVED = 2,
	PT_PEEKED = 3 /* MSG_PEEK: seen, but left in the queue */
};

/* How a socket came by its ends. */
enum pt_origin {
	PT_ORIGIN_UNKNOWN = 0, /* it was there before, or can't be looked at */
	PT_ORIGIN_NONE = 1,    /* it has no peer, nor an address that it was bound to */
	PT_ORIGIN_CONNECTED = 2,
	PT_ORIGIN_ACCEPTED = 3,
	PT_ORIGIN_BOUND = 4, /* of datagrams: to an address, and it has no peer */
	PT_ORIGIN_PAIR = 5   /* socketpair(2) */
};

/* What became of a connect(2), and when that was seen. */
enum pt_connected {
	PT_CONNECTED_RETURNED = 0,    /* the call has returned: error says how, EINPROGRESS: the rest will follow */
	PT_CONNECTED_ESTABLISHED = 1, /* of one in progress: it is connected */
	PT_CONNECTED_FAILED = 2,      /* it has failed; error 0: why was not seen */
	PT_CONNECTED_ABANDONED = 3    /* an fd of it was closed while it was in progress */
};

/* Why bytes may be missing. */
enum pt_reason {
	PT_REASON_IO_URING = 1,	    /* transfers through io_uring make no call that could be counted */
	PT_REASON_AIO = 2,	    /* io_submit on a socket */
	PT_REASON_UNREADABLE = 3,   /* the process may not be read (not dumpable): fds or messages are unknown */
	PT_REASON_X32 = 4,	    /* calls of the x32 ABI are not decoded */
	PT_REASON_UNTRACED = 5,	    /* a child could not be followed */
	PT_REASON_PTRACE = 6,	    /* the program's own ptrace call failed: it is a tracee already */
	PT_REASON_NO_MEMORY = 7,    /* ptmon ran out of memory for its tables */
	PT_REASON_DETACHED = 8,	    /* ended in the middle of a call: detach or kill, and its bytes are unknown */
	PT_REASON_UNATTRIBUTED = 9, /* calls were counted in the process, but on which socket is not known */
	PT_REASON_INTERRUPTED =
		12, /* nothing is missing, but ptmon has cut a call short; error: its number, if syscall is none */
	PT_REASON_FORGED = 10,	   /* the process has changed what the core keeps in its memory */
	PT_REASON_UNASKED = 11,	   /* calls were made in the process that the core was not asked about */
	PT_REASON_CODE = 13,	   /* its code has changed unseen, so calls may have been missed */
	PT_REASON_TRACED = 14,	   /* descendants that another tracer has; calls: how many */
	PT_REASON_FORBIDDEN = 15,  /* descendants that may not be traced; calls: how many */
	PT_REASON_UNATTACHED = 16, /* one of several targets could not be attached; the core does not report it */
	PT_REASON_COMPAT = 17,	   /* calls of the 32-bit ABI are not decoded on this machine */
	PT_REASON_RECORDING = 18   /* a recording that is replayed ends too early; the core does not report it */
};

/* Why the calls of a process, or some of them, are not counted inside of it, but at stops. */
enum pt_fallback {
	PT_FALLBACK_MACHINE = 1,     /* no x86_64, or no FSGSBASE (Linux 5.9, 2012's processors) */
	PT_FALLBACK_SANDBOX = 2,     /* it has a seccomp filter of its own */
	PT_FALLBACK_DISPATCH = 3,    /* it uses syscall user dispatch */
	PT_FALLBACK_MEMORY = 4,	     /* the kernel refuses the memory, error says why (RLIMIT_AS, SELinux execmem) */
	PT_FALLBACK_TAKEN = 5,	     /* the program uses the addresses itself */
	PT_FALLBACK_CODE = 6,	     /* it makes calls in code that is not known */
	PT_FALLBACK_COMPAT = 7,	     /* it makes 32-bit calls */
	PT_FALLBACK_DESCRIPTORS = 8, /* some of its threads have an fd table of their own */
	PT_FALLBACK_UNREADABLE = 9,  /* its memory may not be read and written, error says why */
	PT_FALLBACK_THREADS = 10,    /* it has too many threads, or threads that can't be told apart */
	PT_FALLBACK_LIMITED = 11,    /* its memory is limited (RLIMIT_AS, RLIMIT_DATA), or locked */
	PT_FALLBACK_ROOM = 12,	     /* nowhere in its code is room for what maps the memory */
	PT_FALLBACK_LEFT = 13,	     /* it was let go, but the memory is still in it: a thread may return there */
	PT_FALLBACK_PROC = 15,	     /* /proc shows another PID namespace: its threads can't be found there */
	PT_FALLBACK_CLOCK = 16,	     /* it forbids itself to read the time stamp counter */
	PT_FALLBACK_RINGS = 17,	     /* its fds may change without a call: by io_uring, a supervisor, a process that
				      * shares them and is not traced */
	PT_FALLBACK_UNFOLLOWED = 18, /* a child that is not followed runs in its memory */
	PT_FALLBACK_FILTER = 19 /* it can't be given the second seccomp filter (native/calls/dry.c): all calls stop */
};

/* One row of what happened, in the order of their times. With aggregate set, a PT_TRANSFER may stand for many calls
 * that differ in nothing else, and the order is that in which it was found out. */
struct pt_record {
	uint64_t time; /* nanoseconds, CLOCK_MONOTONIC; of the first call, if it stands for many */
	uint64_t calls;
	uint64_t bytes;
	uint32_t kind; /* enum pt_kind */
	int32_t tgid;
	int32_t tid;
	int32_t fd;
	uint32_t socket; /* row of the socket table, from 1 */
	int32_t error;	 /* errno of a failed call, or 0 */
	int32_t value;
	uint16_t syscall;     /* for pt_syscall_name() */
	uint8_t direction;    /* enum pt_direction */
	uint8_t fast;	      /* 1: counted inside the tracee, without a stop */
	uint32_t data_offset; /* into pt_batch.data */
	uint32_t data_length; /* bytes */
};

enum pt_row_number {
	PT_IN_LIFE = -1 /* socket of a PT_TRANSFER that is in the lives of rows, which have their share */
};

/* Addresses are as the kernel gives them (struct sockaddr), length 0: none. */
struct pt_socket_info {
	uint64_t inode; /* 0: unknown */
	int32_t family; /* AF_*, -1: unknown */
	int32_t type;	/* SOCK_* */
	int32_t protocol;
	uint32_t local_length;
	uint32_t peer_length;
	uint8_t local[128];
	uint8_t peer[128];
	uint64_t opened;  /* of a PT_SOCKET: ns, CLOCK_MONOTONIC, when the first call on it was seen */
	uint64_t connect; /* ns that connect(2) took to connect it; 0: not known */
	uint32_t origin;  /* enum pt_origin */
	uint32_t reserved;
};

struct pt_connect {
	struct pt_socket_info socket; /* its peer is the one that the call named */
	uint64_t took;		      /* ns; 0: not known */
};

/* One datagram, or a part of a stream. */
struct pt_payload {
	uint64_t inode;
	uint64_t moved; /* bytes: all of them, also those that do not follow */
	int32_t family;
	int32_t type;
	uint32_t peer_length;
	uint8_t peer[128];
	uint32_t reserved;
};

/* The kernel's own counters of a TCP socket: payload bytes, SYN and FIN taken off. */
struct pt_tcp_info {
	uint64_t bytes_sent;
	uint64_t bytes_received;
	uint64_t retransmitted; /* bytes */
	uint32_t rtt_us;
	uint32_t auditable; /* 1: ptmon has seen this socket from its first byte, and no call on it is under way */
};

enum pt_life_size { PT_LIFE_ADDRESS = 28 };

/* A row of the socket table that is new in this batch, with all that came of it in the batch as long as that was
 * nothing but transfers and a close, by one process. It stands for a PT_SOCKET, PT_TRANSFERs and a PT_CLOSE. */
struct pt_life {
	uint64_t inode;
	uint64_t opened; /* these three as in struct pt_socket_info */
	uint64_t connect;
	uint64_t closed; /* ns, CLOCK_MONOTONIC; 0: it is open */
	uint64_t sent;	 /* bytes */
	uint64_t received;
	uint64_t peeked;
	uint64_t calls_sent;
	uint64_t calls_received; /* and peeked */
	struct pt_tcp_info tcp;	 /* at its close */
	uint32_t row;
	int32_t tgid; /* of who made the calls; 0: there was none */
	int32_t family;
	int32_t type;
	int32_t protocol;
	uint32_t origin; /* enum pt_origin */
	uint8_t local_length;
	uint8_t peer_length;
	uint8_t is_tcp; /* 1: tcp is filled in */
	uint8_t local[PT_LIFE_ADDRESS];
	uint8_t peer[PT_LIFE_ADDRESS];
};

struct pt_batch {
	const struct pt_record *records;
	const uint8_t *data;
	const struct pt_life *lives; /* in the order in which they began */
	const uint32_t *steps;	     /* 0: the next life begins; else the row whose life ends */
	uint32_t count;
	uint32_t data_length;
	uint32_t life_count;
	uint32_t step_count;
	int32_t signal;	  /* a signal that asks ptmon itself to end (attach), or 0 */
	int32_t reopen;	  /* 1: a SIGHUP asks to open the log's file anew (attach, with reopens) */
	uint32_t tracees; /* threads traced now */
	uint64_t time; /* ns, CLOCK_MONOTONIC: no record of a later batch bears an earlier one (but with aggregate) */
};

/* What a tracer notes of its own work, for who looks for a fault in it (records/debug.h): bits. */
enum pt_debug_what { PT_DEBUG_STOPS = 1, PT_DEBUG_PATCH = 2, PT_DEBUG_RING = 4, PT_DEBUG_SOCKETS = 8 };

/* 16 numbers for each bit. The comment names the fields that mean something beside time and tid (a process's: its
 * leader's). */
enum pt_debug_event {
	PT_DEBUG_STOP = 0x00,	   /* status; op, number, compat, address, result; next, signal: what followed */
	PT_DEBUG_RESUMED = 0x01,   /* of one that had stopped before: next, signal */
	PT_DEBUG_OVERTAKEN = 0x02, /* that was not done: SIGKILL has taken it out of its stop */
	PT_DEBUG_MAPPED = 0x10,	   /* it has memory for stubs, or (error) has not; count: enum pt_debug_memory */
	PT_DEBUG_CODE = 0x11,	   /* code was looked at. address, length; count: sites in it */
	PT_DEBUG_SITE = 0x12,  /* one of them. address; number: of its call, or UINT64_MAX; status: enum pt_verdict */
	PT_DEBUG_JUMPS = 0x13, /* count: sites that jump to stubs now; error */
	PT_DEBUG_HALT = 0x14,  /* its threads were to stand; count: 1: all do */
	PT_DEBUG_LATER = 0x15, /* threads were in the way: tried again after count ns */
	PT_DEBUG_FREE = 0x16,  /* attached: stops no more at calls that stubs count, or (error) still does */
	PT_DEBUG_FELL_BACK = 0x17, /* status: enum pt_fallback; error */
	PT_DEBUG_WITHDRAWN = 0x18, /* its own code is back; count: 0: not everywhere, or not yet */
	PT_DEBUG_UNMAPPED = 0x19,  /* the memory is given back, or (error) is not */
	PT_DEBUG_RETRY = 0x1a, /* a call that has stopped goes back to its stub. number, address: of its instruction */
	PT_DEBUG_DRAIN = 0x20, /* status: which ring; number: of its first record; count: records; length: gaps */
	PT_DEBUG_FULL = 0x21,  /* status: which ring had no room left; number: of its first record without */
	PT_DEBUG_LOST = 0x22,  /* the rings can't be read (error), or hold what no stub has written (0) */
	PT_DEBUG_IDENTIFIED = 0x30, /* fd in status: number: inode; address: family; length: type; count: protocol */
	PT_DEBUG_LEARNT = 0x31,	    /* fd in status: number: inode; 0: not known, UINT64_MAX: no socket */
	PT_DEBUG_CLOSING = 0x32,    /* fds number to count are closed, or become something else */
	PT_DEBUG_AUDIT = 0x33 /* fd in status; the kernel's bytes sent and received: number, count; ptmon's: address,
			       * length */
};

enum pt_debug_memory { PT_DEBUG_NEW = 0, PT_DEBUG_ADOPTED = 1, PT_DEBUG_COPIED = 2 };

/* What followed a stop. */
enum pt_debug_next {
	PT_DEBUG_IN_HAND = 0, /* nothing: it was still being handled */
	PT_DEBUG_CONT = 1,
	PT_DEBUG_SYSCALL = 2,
	PT_DEBUG_STEP = 3,
	PT_DEBUG_LISTEN = 4,
	PT_DEBUG_DETACH = 5,
	PT_DEBUG_STAYS = 6,
	PT_DEBUG_GONE = 7
};

struct pt_debug_entry {
	uint64_t time; /* ns, CLOCK_MONOTONIC */
	uint64_t number;
	uint64_t address;
	uint64_t count;
	uint64_t length;
	int64_t result;
	int32_t tid;
	int32_t status;
	int32_t error;	/* errno, or 0 */
	uint16_t event; /* enum pt_debug_event */
	uint8_t op;	/* PTRACE_SYSCALL_INFO_* */
	uint8_t compat;
	uint8_t next; /* enum pt_debug_next */
	uint8_t signal;
	uint8_t reserved[6];
};

enum pt_debug_size { PT_DEBUG_ENTRIES = 4096 };

/* The last entries: number n is in entries[n % PT_DEBUG_ENTRIES]. */
struct pt_debug {
	uint32_t what;	/* bits of enum pt_debug_what; 0: nothing more is noted */
	uint64_t count; /* of entries until now */
	uint64_t stop;	/* number of the last PT_DEBUG_STOP, from 1; 0: none */
	struct pt_debug_entry entries[PT_DEBUG_ENTRIES];
};

/* What became of a system call instruction of a process whose calls are to be counted inside of it. */
enum pt_verdict {
	PT_SITE_REPLACED = 1,	/* it jumps to a stub */
	PT_SITE_CHOSEN = 2,	/* it is about to */
	PT_SITE_OTHER = 3,	/* it makes a call that no stub counts */
	PT_SITE_ANY = 4,	/* it makes more than one call, and none of them has stopped */
	PT_SITE_FOREIGN = 5,	/* int 0x80 or sysenter: a 32-bit call */
	PT_SITE_DATA = 6,	/* it is most likely no code */
	PT_SITE_ENTERED = 7,	/* the program may jump into the middle of what would be replaced */
	PT_SITE_FLAGS = 8,	/* the program reads, behind it, what a jump would lose */
	PT_SITE_SHORT = 9,	/* around it there are not enough instructions that mean the same elsewhere */
	PT_SITE_CHANGED = 10,	/* its bytes are not any more what was looked at */
	PT_SITE_FULL = 11,	/* there is no room for another stub */
	PT_SITE_BUSY = 12,	/* a thread is in the middle of it, or returns there */
	PT_SITE_WRITABLE = 13,	/* its code can be written while it runs, or is shared memory */
	PT_SITE_WITHDRAWN = 14, /* it has jumped to a stub, and has its own bytes back: there is a PT_FALLBACK */
	PT_SITE_FELL_BACK = 15, /* nothing of its process is replaced: there is a PT_FALLBACK */
	PT_SITE_EARLY = 16,	/* its calls have stopped before anything was looked at, and not since */
	PT_SITE_OFF = 17	/* nothing is to be replaced (options.fast is 0) */
};

struct pt_site {
	uint64_t address; /* of the instruction; 0: the sum of those that there was no room for */
	uint64_t offset;  /* in its file; in its mapping, if that is of no file */
	uint64_t stops;	  /* calls that have stopped there */
	uint32_t file;
	uint32_t numbers[4]; /* of the calls that it makes, as far as they are known */
	uint8_t number_count;
	uint8_t more;	 /* 1: and others */
	uint8_t compat;	 /* 1: they are of the 32-bit ABI */
	uint8_t verdict; /* enum pt_verdict */
};

enum pt_seccomp { PT_SECCOMP_AUTO = 0, PT_SECCOMP_ON = 1, PT_SECCOMP_OFF = 2 };

struct pt_options {
	const char *only;  /* count only processes of this executable's file name; NULL: all */
	int32_t seccomp;   /* enum pt_seccomp */
	int32_t no_follow; /* threads are followed, children are not */
	int32_t no_io_uring;
	int32_t aggregate; /* equal transfers of one batch become one record */
	int32_t fast;	   /* so many stops of a process, and its calls are counted inside of
			    * it; 0: never */
	int32_t embedded;  /* ptmon is a library in another program: leave its signals and its other children alone */
	int32_t reopens;   /* there is a log in a file: by a SIGHUP of kill(2), an attached ptmon is to open it anew */
	/* What the launched program is to ignore, bit n - 1 for signal n, if that is known. Else it ignores what the
	 * caller does, but for SIGPIPE and SIGXFSZ. */
	int32_t ignored_known;
	uint64_t ignored;
	const char *cwd; /* where pt_launch starts the program; lives until then. NULL: where ptmon is */
	int32_t streams; /* 1: what the program has as stdout and stderr are these fds, both above 2 */
	int32_t out;
	int32_t err;
	int32_t names;	  /* 1: PT_PAYLOAD is told of what says how the program calls its peers */
	uint32_t content; /* of each call so many of the bytes that it has moved are told (PT_CONTENT), at most; such a
			   * call stops. 0: none */
	int32_t explain;  /* 1: what becomes of the program's code for the sake of fast is told (PT_SITE) */
	int32_t lives;	  /* with aggregate: new rows are told as struct pt_life */
	struct pt_debug *debug; /* what the tracer notes of its work, until pt_destroy; NULL: nothing */
};

/* What of a tracee's memory is kept with the record of a call. */
enum pt_capture_kind {
	PT_CAPTURE_NOTHING = 0,
	PT_CAPTURE_STRING = 1,	/* up to its NUL, which is kept unless the string was cut */
	PT_CAPTURE_STRINGS = 2, /* an array of pointers to strings, up to NULL, as argv; the array is kept, too */
	PT_CAPTURE_BYTES = 3,	/* most bytes */
	PT_CAPTURE_SIZED = 4,	/* so many bytes as the next argument says */
	PT_CAPTURE_RESULT = 5,	/* so many bytes as the call returned */
	PT_CAPTURE_POINTED = 6, /* so many bytes as the int says that the next argument points to, and that int */
	PT_CAPTURE_MSGHDR = 7,	/* struct msghdr, its name, its vector and the start of its first buffers */
	PT_CAPTURE_MMSGHDR = 8, /* the same of an array of struct mmsghdr; the next argument (at exit: the result) is
				 * its length */
	PT_CAPTURE_IOVEC = 9	/* an array of struct iovec, whose length is the next argument, and the start of the
				 * buffers */
};

struct pt_capture {
	uint8_t kind;	  /* enum pt_capture_kind */
	uint8_t at_entry; /* kept at the syscall-entry-stop */
	uint8_t at_exit;  /* kept at the syscall-exit-stop, if the call did not fail */
	uint8_t reserved;
	uint32_t most; /* bytes of one string or buffer that are kept at most */
};

/* A call that is emitted, or held for an answer, whether it moves bytes or not. With neither, captures are what a
 * PT_DENIED of that call bears. */
struct pt_watch {
	uint64_t number;
	int32_t compat; /* 1: of the 32-bit ABI */
	int32_t emit;	/* PT_ENTER and PT_RETURN */
	int32_t hold;	/* PT_HELD at its entry and at its exit */
	struct pt_capture captures[6];
};

/* Memory of a tracee; its bytes follow. */
struct pt_chunk {
	uint64_t address;
	uint64_t length;
};

/* When a rule refuses a call. */
enum pt_condition {
	PT_ALWAYS = 0,
	PT_IF_VALUE = 1,   /* the argument, as an int, is value */
	PT_IF_ADDRESS = 2, /* the argument points to a struct sockaddr that matches; the next one is its length */
	PT_IF_MESSAGE = 3, /* to a struct msghdr whose msg_name matches */
	PT_IF_MESSAGES = 4 /* to an array of struct mmsghdr of which one matches; the next argument says how many */
};

/* The addresses of a family that begin with these bits. bits 0: all of the family. */
struct pt_prefix {
	int32_t family; /* AF_* */
	uint32_t bits;	/* of AF_INET and AF_INET6; of AF_UNSPEC, whose addresses are laid out as those of AF_INET */
	uint8_t address[16];
};

/* A call is refused: it is not made, and fails with error. With error 0 it is only noted: a PT_DENIED tells of it. */
struct pt_rule {
	uint64_t number;
	int32_t compat;	   /* 1: of the 32-bit ABI */
	int32_t condition; /* enum pt_condition */
	int32_t argument;
	int32_t value;
	int32_t error;
	int32_t id;
	int32_t emit;	 /* each refusal is a PT_DENIED. 0: nobody asks, so the filter may answer without a stop */
	int32_t outside; /* an address matches if its family is among the prefixes' and it is in none of them */
	const struct pt_prefix *prefixes;
	uint32_t prefix_count;
};

struct pt_call {
	uint64_t number;
	uint64_t args[6]; /* aarch64: args[0] is lost at the exit-stop (but in records, which keep it from the entry) */
	int64_t result;	  /* at the exit-stop: -errno, or what the call returned */
	int32_t at_exit;  /* 1: syscall-exit-stop; 0: another stop */
	int32_t compat;	  /* 1: made by the 32-bit ABI */
	uint16_t syscall; /* for pt_syscall_name(); UINT16_MAX: not in its table */
};

/* Where a launch or an attach failed. */
enum pt_step {
	PT_STEP_NONE = 0,
	PT_STEP_FORK = 1,
	PT_STEP_SEIZE = 2,
	PT_STEP_SECCOMP = 3,
	PT_STEP_EXEC = 4,
	PT_STEP_READ = 5, /* /proc could not be read */
	PT_STEP_DIRECTORY = 6,
	PT_STEP_STREAMS = 7
};

int pt_create(const struct pt_options *options, struct pt_tracer **tracer);
/* Lets every tracee go that there still is (attached ones run on, a launched program is passed on, uncounted, to its
 * end), then frees the tracer. */
void pt_destroy(struct pt_tracer *tracer);

/* What is to be done at a call, beside counting it. Both copy what they are given; before pt_launch and pt_attach. What
 * is asked for at an i386 call is done at the socketcall(2) that stands for it, too. */
int pt_watch(struct pt_tracer *tracer, const struct pt_watch *watch);
int pt_deny(struct pt_tracer *tracer, const struct pt_rule *rule);

/* Starts argv[0] (searched in PATH, as execvp does) as a tracee. Returns its pid. */
int pt_launch(struct pt_tracer *tracer, const char *const *argv, const char *const *envp, int32_t *step);
/* Seizes every thread of the process pid. Returns how many. */
int pt_attach(struct pt_tracer *tracer, int pid, int32_t *step);
/* Traces until there is a full batch, or for timeout_ms, or until the last tracee ends. Returns 1 while there are
 * tracees, then 0. What the batch points to stays valid until the next call. */
int pt_run(struct pt_tracer *tracer, int timeout_ms, struct pt_batch *batch);
/* Lets a tracee go on of which a PT_HELD was emitted. At its entry with made == 0 the call is not made, and returns
 * result (a value or -errno). -ESRCH: it is not held any more, SIGKILL has taken it out of its stop. */
int pt_answer(struct pt_tracer *tracer, int tid, int made, int64_t result);
/* Tells what options.explain asks for, as of now; else that is told of a process at its end. Then nothing more of it.
 */
int pt_explain(struct pt_tracer *tracer, struct pt_batch *batch);
/* Sends a signal to each process that is traced and has not got it by this yet. */
void pt_signal(struct pt_tracer *tracer, int number);
/* From now on nothing is counted; the tracees are only passed on. For launched ones, which can't be detached. */
void pt_stop_counting(struct pt_tracer *tracer);
/* Detaches every tracee; the processes run on (a stopped one stays stopped). What was still to be emitted is in the
 * batch. Returns 0. */
int pt_detach(struct pt_tracer *tracer, struct pt_batch *batch);

/* The signals that are blocked from pt_create to pt_destroy, since the core answers them; 0 past the last. */
int pt_blocked_signal(unsigned int index);
/* The name of a system call of the table, or NULL past its end. */
const char *pt_syscall_name(unsigned int index);

/* The rest serves the reference engine, which drives one tracee itself; and hooks, which look at a held one. All of it
 * wants that tracee in a ptrace-stop. */

struct pt_identity {
	struct pt_socket_info info;
	struct pt_tcp_info tcp;
	int32_t is_tcp; /* tcp is filled in */
	int32_t active; /* connect() made it, so that the kernel's count has a SYN in it */
	int32_t closed; /* TCP: it is in no connection. 1: and nothing that it sent was ever answered; 2: it was */
};

int pt_read_call(int tid, struct pt_call *call);
/* The address of the instruction with which a tracee that stands goes on: that behind the call it has entered. */
int pt_read_instruction(int tid, uint64_t *out);
int pt_read_memory(int tid, uint64_t address, void *to, size_t length);
/* 1: fd is a socket, told in *identity; 0: it is none; -errno. At a later reading of the same socket, before is what
 * the first one told, with tcp.bytes_sent and bytes_received set to what was counted since; at the first it is NULL. */
int pt_identify(int tid, int fd, const struct pt_identity *before, struct pt_identity *identity);

/* The rest makes text of transfers, for there may be a million of them a second. It wants no tracer. */

/* Transfers of one second that differ in nothing but their time and their bytes. */
struct pt_group {
	uint64_t bytes; /* of all of them */
	uint32_t first; /* row */
	uint32_t count;
};

/* The text of a group's transfers: head, the time, middle, the bytes, tail. What stands in text one behind the other.
 */
struct pt_frame {
	uint32_t head; /* length of each, in bytes */
	uint32_t middle;
	uint32_t tail;
};

/* How many PT_TRANSFER the records begin with. */
uint32_t pt_transfers(const struct pt_record *records, uint32_t count);
/* Groups transfers: group_of[row] is the index of its group; groups has room for count. Times count from start. Returns
 * how many groups there are, in the order of their first rows. */
int pt_group(const struct pt_record *rows, uint32_t count, uint64_t start, struct pt_group *groups, uint32_t *group_of);
/* Writes a text for each row, with its time in seconds since start as Python writes a float that is rounded to
 * microseconds. Returns the length, -ENOSPC where there is no room for it. */
int64_t pt_format(const struct pt_record *rows, uint32_t count, uint64_t start, const uint32_t *group_of,
		  const struct pt_frame *frames, uint32_t frame_count, const uint8_t *text, uint8_t *to, uint64_t room);

enum pt_packed { PT_PACKED_MOST = 176 }; /* bytes of a row at most */

/* Writes rows in few bytes (see pack.c). Returns the length, -ENOSPC where there are less than PT_PACKED_MOST bytes of
 * room for each. */
int64_t pt_pack(const struct pt_record *rows, uint32_t count, uint8_t *to, uint64_t room);
/* Reads that back, whatever it is: -EPROTO if it is not count rows with at most data_length bytes of data. */
int pt_unpack(const uint8_t *packed, uint64_t length, struct pt_record *rows, uint32_t count, uint32_t data_length);
