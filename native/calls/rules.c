/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calls/rules.h"

#include <errno.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "calls/aio.h"
#include "calls/connect.h"
#include "calls/fds.h"
#include "calls/sandbox.h"
#include "calls/transfer.h"
#include "calls/uring.h"
#include "process/untraced.h"
#include "records/emit.h"

/* Only its result matters. */
static bool wait_for_exit(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t;
	(void)tracee;
	return true;
}

/* ptrace(2) requests that make a tracee, which a tracee of ours can't become */
static void ptrace_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	const uint64_t request = tracee->call.args[0];

	if (result == -EPERM && (request == PTRACE_TRACEME || request == PTRACE_ATTACH || request == PTRACE_SEIZE))
		emit_warning(t, tracee, PT_REASON_PTRACE, tracee->call.entry, EPERM);
}

/* BINDER_WRITE_READ of both sizes; linux/android/binder.h is not everywhere. */
#define BINDERS {0xc0306201, 0xc0186201, 0xc0306201, 0xc0186201}

#define STOPS(...) .stops = {__VA_ARGS__}, .dry = {__VA_ARGS__}
#define CLONING STOPS(.kind = STOPS_CLONING)
#define FILES STOPS(.kind = STOPS_WITH_BITS, .bits = CLONE_FILES)
#define SANDBOXES STOPS(.kind = STOPS_AT_VALUES, .values = SANDBOX_PRCTLS)
#define NONE STOPS(.kind = STOPS_NONE)
/* A matter of sockets. */
#define WET .dry = {.kind = STOPS_NONE}
#define WET_UNLESS_UNSHARING .dry = {.kind = STOPS_WITH_BITS, .argument = 2, .bits = CLOSE_RANGE_UNSHARE}
/* And of those who have none. */
#define DRY .stops = {.kind = STOPS_NONE}
#define DRY_BINDER DRY, .dry = {.kind = STOPS_AT_VALUES, .argument = 1, .values = BINDERS}

/* A column is left out if there is nothing to do. A call of RULE_SOCKETCALL has become one of another rule before
 * (call.c). NONE: where there is a filter all children of vfork are followed; and whose ring io_uring_enter(2) uses was
 * seen when it was made, inherited or got (sockets/rings.h). */
/* clang-format off */
#define RULES(ROW) \
	ROW(RULE_BYTES,          .enter = transfer_enter,  .exit = transfer_return, WET) \
	ROW(RULE_MSG,            .enter = transfer_enter,  .exit = transfer_return, WET) \
	ROW(RULE_MMSG,           .enter = transfer_enter,  .exit = transfer_return, WET) \
	ROW(RULE_SENDFILE,       .enter = transfer_enter,  .exit = transfer_return, WET) \
	ROW(RULE_SPLICE,         .enter = transfer_enter,  .exit = transfer_return, WET) \
	ROW(RULE_SOCKETCALL,     .enter = NULL) \
	ROW(RULE_CLOSE,          .enter = fds_close,       WET) \
	ROW(RULE_DUP,            .enter = fds_dup,         WET) \
	ROW(RULE_CLOSE_RANGE,    .enter = fds_close_range, .exit = fds_unshared,    WET_UNLESS_UNSHARING) \
	ROW(RULE_CONNECT,        .enter = connect_enter,   .exit = connect_exit,    WET) \
	ROW(RULE_UNSHARE,        .enter = fds_unshare,     .exit = fds_unshared,    FILES) \
	ROW(RULE_CLONE,          .enter = untraced_enter,  .exit = untraced_exit,   CLONING) \
	ROW(RULE_CLONE3,         .enter = untraced_enter,  .exit = untraced_exit) \
	ROW(RULE_VFORK,          .enter = untraced_enter,  NONE) \
	ROW(RULE_EXEC,           .enter = fds_execute,     WET) \
	ROW(RULE_SECCOMP,        .enter = sandbox_enter,   .exit = sandbox_exit) \
	ROW(RULE_PRCTL,          .enter = sandbox_enter,   .exit = sandbox_exit,    SANDBOXES) \
	ROW(RULE_PTRACE,         .enter = wait_for_exit,   .exit = ptrace_exit) \
	ROW(RULE_IO_URING,       .enter = uring_setup,     .exit = uring_made,      .refused = uring_refused) \
	ROW(RULE_IO_URING_ENTER, .enter = uring_enter,     NONE) \
	ROW(RULE_PIDFD_GETFD,    .enter = wait_for_exit,   .exit = uring_got) \
	ROW(RULE_IO_SUBMIT,      .enter = aio_enter) \
	ROW(RULE_SOCKET,         .enter = NULL,            DRY) \
	ROW(RULE_CREDENTIALS,    .enter = NULL,            DRY) \
	ROW(RULE_BINDER,         .enter = NULL,            DRY_BINDER)
/* clang-format on */

#define OPS(rule, ...) [rule] = {__VA_ARGS__},
#define ONE(...) +1

static const struct rule_ops rows[] = {RULES(OPS)};

/* No rule has two, for the compiler warns of that. */
_Static_assert(0 RULES(ONE) == RULE_COUNT, "each rule has its row");

const struct rule_ops *rules_of(const struct syscall_entry *entry)
{
	return &rows[entry->rule];
}
