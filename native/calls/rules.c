/* SPDX-License-Identifier: GPL-2.0-only */
#include "calls/rules.h"

#include <errno.h>
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

#define UNTRACED .stops = {.kind = STOPS_WITH_BITS, .bits = CLONE_UNTRACED}
#define FILES .stops = {.kind = STOPS_WITH_BITS, .bits = CLONE_FILES}
#define SANDBOXES .stops = {.kind = STOPS_AT_VALUES, .values = SANDBOX_PRCTLS}
#define NONE .stops = {.kind = STOPS_NONE}

/* A column is left out if there is nothing to do. A call of RULE_SOCKETCALL has become one of another rule before
 * (call.c). NONE: where there is a filter all children of vfork are followed; and whose ring io_uring_enter(2) uses was
 * seen when it was made, inherited or got (sockets/rings.h). */
/* clang-format off */
#define RULES(ROW) \
	ROW(RULE_BYTES,          .enter = transfer_enter,  .exit = transfer_return) \
	ROW(RULE_MSG,            .enter = transfer_enter,  .exit = transfer_return) \
	ROW(RULE_MMSG,           .enter = transfer_enter,  .exit = transfer_return) \
	ROW(RULE_SENDFILE,       .enter = transfer_enter,  .exit = transfer_return) \
	ROW(RULE_SPLICE,         .enter = transfer_enter,  .exit = transfer_return) \
	ROW(RULE_SOCKETCALL,     .enter = NULL) \
	ROW(RULE_CLOSE,          .enter = fds_close) \
	ROW(RULE_DUP,            .enter = fds_dup) \
	ROW(RULE_CLOSE_RANGE,    .enter = fds_close_range, .exit = fds_unshared) \
	ROW(RULE_CONNECT,        .enter = connect_enter,   .exit = connect_exit) \
	ROW(RULE_UNSHARE,        .enter = fds_unshare,     .exit = fds_unshared,    FILES) \
	ROW(RULE_CLONE,          .enter = untraced_enter,  .exit = untraced_exit,   UNTRACED) \
	ROW(RULE_CLONE3,         .enter = untraced_enter,  .exit = untraced_exit) \
	ROW(RULE_VFORK,          .enter = untraced_enter,  NONE) \
	ROW(RULE_EXEC,           .enter = fds_execute) \
	ROW(RULE_SECCOMP,        .enter = sandbox_enter,   .exit = sandbox_exit) \
	ROW(RULE_PRCTL,          .enter = sandbox_enter,   .exit = sandbox_exit,    SANDBOXES) \
	ROW(RULE_PTRACE,         .enter = wait_for_exit,   .exit = ptrace_exit) \
	ROW(RULE_IO_URING,       .enter = uring_setup,     .exit = uring_made,      .refused = uring_refused) \
	ROW(RULE_IO_URING_ENTER, .enter = uring_enter,     NONE) \
	ROW(RULE_PIDFD_GETFD,    .enter = wait_for_exit,   .exit = uring_got) \
	ROW(RULE_IO_SUBMIT,      .enter = aio_enter)
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
