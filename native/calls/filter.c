/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The program: architecture, then number, then (for some calls that are common and seldom of interest, unless somebody
 * watches them) an argument.
 * Arguments are loaded only after the number has matched: the kernel then knows of every other number that it is
 * always allowed, and answers from a bitmap without running the program (kernel/seccomp.c, seccomp_cache_prepare).
 */
#include "calls/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls/deny.h"
#include "calls/rules.h"
#include "calls/watch.h"
#include "state/tracer.h"
#include "syscalls/syscalls.h"

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + 4)
/* Its low half: both architectures are little-endian. */
#define LOAD_ARGUMENT(i) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + (i) * sizeof(uint64_t)))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
/* The next `skip` instructions are left out unless the comparison holds. */
#define UNLESS(operation, value, skip) BPF_JUMP(BPF_JMP | BPF_##operation | BPF_K, value, 0, skip)

#define VERDICT_TRACE (SECCOMP_RET_TRACE | FILTER_COOKIE)
#define RETURN_ALLOW RETURN(SECCOMP_RET_ALLOW)

struct writer {
	struct sock_filter *program;
	unsigned int length;
	enum filter_part part;
};

static void put(struct writer *w, struct sock_filter instruction)
{
	if (w->length < FILTER_MOST)
		w->program[w->length] = instruction;
	w->length++;
}

static void put_verdict(struct writer *w, uint32_t number, uint32_t verdict)
{
	put(w, (struct sock_filter)UNLESS(JEQ, number, 1));
	put(w, (struct sock_filter)RETURN(verdict));
}

/* The accumulator holds the number. This call stops if that argument has one of these bits. */
static void put_bits(struct writer *w, uint32_t number, const struct rule_stops *stops)
{
	put(w, (struct sock_filter)UNLESS(JEQ, number, 4));
	put(w, (struct sock_filter)LOAD_ARGUMENT(stops->argument));
	put(w, (struct sock_filter)UNLESS(JSET, stops->bits, 1));
	put(w, (struct sock_filter)RETURN(VERDICT_TRACE));
	put(w, (struct sock_filter)RETURN_ALLOW);
}

/* The same if it is one of these values. */
static void put_values(struct writer *w, uint32_t number, const struct rule_stops *stops)
{
	put(w, (struct sock_filter)UNLESS(JEQ, number, RULE_VALUES + 3));
	put(w, (struct sock_filter)LOAD_ARGUMENT(stops->argument));
	for (unsigned int i = 0; i < RULE_VALUES; i++)
		put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, stops->values[i],
						    (uint8_t)(RULE_VALUES - i), 0));
	put(w, (struct sock_filter)RETURN_ALLOW);
	put(w, (struct sock_filter)RETURN(VERDICT_TRACE));
}

/* clone(2): a child would be without a tracer, or share the fds of this process without being one of its threads. */
static void put_cloning(struct writer *w, uint32_t number)
{
	put(w, (struct sock_filter)UNLESS(JEQ, number, 6));
	put(w, (struct sock_filter)LOAD_ARGUMENT(0));
	put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_UNTRACED, 3, 0));
	put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_FILES, 0, 1));
	put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
	put(w, (struct sock_filter)RETURN_ALLOW);
	put(w, (struct sock_filter)RETURN(VERDICT_TRACE));
}

/* This call stops, unless it is made from a stub, which counts it by itself (fast/). The instruction pointer is loaded
 * only now, see above. */
static void put_unless_in_stub(struct writer *w, const struct fast_ops *fast, uint32_t number)
{
	put(w, (struct sock_filter)UNLESS(JEQ, number, 7));
	put(w, (struct sock_filter)LOAD_HIGH(instruction_pointer));
	put(w, (struct sock_filter)UNLESS(JEQ, 0, 3));
	put(w, (struct sock_filter)LOAD(instruction_pointer));
	put(w, (struct sock_filter)UNLESS(JGE, fast->stubs_begin, 1));
	put(w, (struct sock_filter)UNLESS(JGE, fast->stubs_end, 1));
	put(w, (struct sock_filter)RETURN(VERDICT_TRACE));
	put(w, (struct sock_filter)RETURN_ALLOW);
}

/* mprotect(2) that makes memory both writable and executable stops: who does that to code wants to rewrite it, and is
 * to find the program's own bytes there (fast/changes.c). For anything else the number is loaded again. */
static void put_protecting(struct writer *w, uint32_t number)
{
	put(w, (struct sock_filter)UNLESS(JEQ, number, 5));
	put(w, (struct sock_filter)LOAD(args[2]));
	put(w, (struct sock_filter)UNLESS(JSET, PROT_WRITE, 2));
	put(w, (struct sock_filter)UNLESS(JSET, PROT_EXEC, 1));
	put(w, (struct sock_filter)RETURN(VERDICT_TRACE));
	put(w, (struct sock_filter)LOAD(nr));
}

/* This call stops if it could touch the memory of the fast path. */
static void put_touching(struct writer *w, const struct fast_ops *fast, enum abi abi, uint32_t number)
{
	struct sock_filter piece[FILTER_PIECE];
	unsigned int length = fast->filter(piece, abi, number, SECCOMP_RET_ALLOW, VERDICT_TRACE);

	if (!length)
		return;
	put(w, (struct sock_filter)UNLESS(JEQ, number, (uint8_t)length));
	for (unsigned int i = 0; i < length; i++)
		put(w, piece[i]);
}

/* A call that nobody watches or refuses: it may count. */
static void put_counted(struct writer *w, const struct pt_tracer *t, const struct syscall_entry *entry, uint32_t number)
{
	const struct rule_ops *ops = rules_of(entry);
	const struct rule_stops *stops = w->part == FILTER_FIRST ? &ops->dry : &ops->stops;
	const int error = ops->refused ? ops->refused(t) : 0;

	switch (stops->kind) {
	case STOPS_EACH:
		put_verdict(w, number, error ? SECCOMP_RET_ERRNO | (uint32_t)error : VERDICT_TRACE);
		return;
	case STOPS_NONE:
		return;
	case STOPS_WITH_BITS:
		put_bits(w, number, stops);
		return;
	case STOPS_AT_VALUES:
		put_values(w, number, stops);
		return;
	case STOPS_CLONING:
		put_cloning(w, number);
	}
}

/* May the filter itself refuse this call? Not if it is watched: its records are emitted, or it is held. Nor an execve:
 * the first one is made by ptmon, after the filter is installed, and at its stop it is let pass. */
static bool may_refuse(const struct order *order, const struct syscall_entry *entry)
{
	if (order->watch && (order->watch->emit || order->watch->hold))
		return false;
	return deny_always(order->rules) && !(entry && entry->rule == RULE_EXEC);
}

/* Does it stop only where there are sockets? What is watched or refused does so everywhere. */
static bool is_wet(const struct order *order, const struct syscall_entry *entry)
{
	const struct rule_ops *ops = entry && !order ? rules_of(entry) : NULL;

	return ops && ops->stops.kind == STOPS_EACH && ops->dry.kind != STOPS_EACH;
}

/* Does each call of it stop, in this process? */
static bool stops_each(const struct writer *w, const struct syscall_entry *entry)
{
	const struct rule_ops *ops = rules_of(entry);

	return (w->part == FILTER_FIRST ? &ops->dry : &ops->stops)->kind == STOPS_EACH;
}

static void put_call(struct writer *w, const struct pt_tracer *t, enum abi abi, uint32_t number)
{
	const struct order *order = watch_order(t, abi != ABI_NATIVE, number);
	const struct syscall_entry *entry = syscall_find(abi, number);
	const struct fast_ops *fast = t->options.fast ? t->fast : NULL;

	if (w->part == FILTER_FIRST && is_wet(order, entry))
		return put_counted(w, t, entry, number);
	if (w->part == FILTER_SECOND && !is_wet(order, entry))
		return;
	if (fast && abi == ABI_NATIVE && fast->shows_code(number))
		put_protecting(w, number);
	if (order && may_refuse(order, entry))
		put_verdict(w, number, SECCOMP_RET_ERRNO | (uint32_t)deny_always(order->rules));
	else if (order)
		put_verdict(w, number, VERDICT_TRACE);
	else if (fast && abi == ABI_NATIVE &&
		 (fast->counts(number) || (entry && fast->passes(number) && stops_each(w, entry))))
		put_unless_in_stub(w, fast, number);
	else if (entry)
		put_counted(w, t, entry, number);
	else if (fast)
		put_touching(w, fast, abi, number);
}

static void put_abi(struct writer *w, const struct pt_tracer *t, enum abi abi)
{
	put(w, (struct sock_filter)LOAD(nr));
	/* The kernel runs the program for these at each call, whoever makes it: the most frequent come first. */
	for (unsigned int i = 0; abi == ABI_NATIVE && t->options.fast && t->fast && i < t->fast->call_count; i++) {
		put_call(w, t, abi, t->fast->calls[i]);
		if (w->part == FILTER_FIRST)
			put_verdict(w, t->fast->calls[i], SECCOMP_RET_ALLOW);
	}
	for (uint32_t number = 0; number < CALL_NUMBERS; number++)
		put_call(w, t, abi, number);
	if (abi == ABI_X86_64 && w->part != FILTER_SECOND) {
		/* x32 calls are not decoded: the stop serves to say so. */
		put(w, (struct sock_filter)UNLESS(JGE, X32_SYSCALL_BIT, 1));
		put(w, (struct sock_filter)RETURN(VERDICT_TRACE));
	}
	put(w, (struct sock_filter)RETURN_ALLOW);
}

static void put_architecture(struct writer *w, const struct pt_tracer *t, uint32_t architecture, enum abi abi)
{
	unsigned int jump = w->length + 2;

	put(w, (struct sock_filter)LOAD(arch));
	put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0));
	/* A conditional jump reaches no further than 255 instructions. */
	put(w, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	put_abi(w, t, abi);
	if (jump < FILTER_MOST)
		w->program[jump].k = w->length - jump - 1;
}

unsigned int filter_build(struct sock_filter program[FILTER_MOST], const struct pt_tracer *t, enum filter_part part)
{
	struct writer w = {.program = program, .part = part};

#if defined(__x86_64__)
	put_architecture(&w, t, AUDIT_ARCH_X86_64, ABI_X86_64);
	put_architecture(&w, t, AUDIT_ARCH_I386, ABI_I386);
#else
	put_architecture(&w, t, AUDIT_ARCH_AARCH64, ABI_AARCH64);
#endif
	put(&w, (struct sock_filter)RETURN_ALLOW);
	return w.length <= FILTER_MOST ? w.length : 0;
}

int filter_install(const struct sock_filter *program, unsigned int length)
{
	struct sock_fprog fprog = {.len = (unsigned short)length, .filter = (struct sock_filter *)program};

	/* SPEC_ALLOW: without it the kernel turns speculation off for the program, which slows it down. */
	for (int i = 0; i < 2; i++) {
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &fprog) == 0)
			return 0;
		/* Without CAP_SYS_ADMIN a filter needs no_new_privs; a tracee could not gain privileges anyhow. */
		if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			break;
	}
	return -errno;
}
