/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The order of things. At a call's entry: its PT_ENTER is emitted; then the rules; then it is held for an answer; then,
 * when it is about to be made, what counting wants of it. At its exit: what counts; then its PT_RETURN; then it is
 * held.
 *
 * What these records bear is what the tracer sees, not what the program does. A call that a signal interrupts returns
 * ERESTART*
 * (-512 and the like, see restart.c), and if the kernel makes it again it is entered again: as itself, or as
 * restart_syscall(2). exit, exit_group, and a call in which the tracee dies have an entry and no return.
 */
#include "calls/watch.h"

#include <errno.h>
#include <stdlib.h>

#include "calls/call.h"
#include "calls/capture.h"
#include "calls/deny.h"
#include "calls/sandbox.h"
#include "calls/socketcall.h"
#include "machine/memory.h"
#include "process/tracee.h"

static void merge(struct pt_capture *into, const struct pt_capture *more)
{
	if (into->kind != more->kind) {
		if (into->kind == PT_CAPTURE_NOTHING)
			*into = *more;
		return;
	}
	into->at_entry |= more->at_entry;
	into->at_exit |= more->at_exit;
	if (into->most < more->most)
		into->most = more->most;
}

int pt_watch(struct pt_tracer *t, const struct pt_watch *watch)
{
	struct order *order;

	if (watch->number >= CALL_NUMBERS)
		return -EINVAL;
	order = &t->orders.of[watch->compat != 0][watch->number];
	if (!order->watch) {
		order->watch = calloc(1, sizeof(*order->watch));
		if (!order->watch)
			return -ENOMEM;
		order->watch->number = watch->number;
		order->watch->compat = watch->compat != 0;
	}
	/* A hook and --trace may both ask for one call. */
	order->watch->emit |= watch->emit;
	order->watch->hold |= watch->hold;
	for (unsigned int i = 0; i < 6; i++)
		merge(&order->watch->captures[i], &watch->captures[i]);
	t->orders.any = true;
	return 0;
}

void watch_destroy(struct pt_tracer *t)
{
	for (unsigned int compat = 0; compat < 2 && t->orders.any; compat++) {
		for (unsigned int i = 0; i < CALL_NUMBERS; i++) {
			free(t->orders.of[compat][i].watch);
			deny_destroy(t->orders.of[compat][i].rules);
		}
	}
}

const struct order *watch_order(const struct pt_tracer *t, bool compat, uint64_t number)
{
	const struct order *order = number < CALL_NUMBERS ? &t->orders.of[compat][number] : NULL;

	return order && (order->watch || order->rules) ? order : NULL;
}

/* i386: a socketcall(2) is what it stands for, if something is to be done at that. */
static const struct order *unpacked_order(const struct pt_tracer *t, struct tracee *tracee, struct pt_call *call)
{
	uint64_t number;
	const struct order *order;

	if (tracee->call.abi != ABI_I386 || call->number != SOCKETCALL_NUMBER)
		return NULL;
	number = socketcall_direct(call->args[0]);
	order = watch_order(t, true, number);
	if (!order || socketcall_unpack(tracee->tid, call) < 0)
		return NULL;
	return order;
}

/* It stays where it is until pt_answer() (../loop/hold.c). */
static bool hold(struct pt_tracer *t, struct tracee *tracee, enum hold at)
{
	if (!capture_emit(t, PT_HELD, tracee, &tracee->watched.call, tracee->watched.watch->captures))
		return false;
	tracee->hold = at;
	t->wants.answer = true;
	return true;
}

/* Or only notes it. */
static void refuse(struct pt_tracer *t, struct tracee *tracee, const struct denial *rule, const struct pt_call *call,
		   const struct pt_watch *watch)
{
	struct pt_record *record;

	if (deny_error(rule))
		sandbox_answer(tracee, -deny_error(rule));
	if (!deny_emits(rule) || !t->counting)
		return;
	record = capture_emit(t, PT_DENIED, tracee, call, deny_captures(rule, watch).captures);
	if (record) {
		record->value = deny_id(rule);
		record->error = deny_error(rule);
	}
}

/* Finds what is to be done at the tracee's call. Returns the rule by which it is refused or noted, or NULL; *made is
 * the call as the rule sees it. */
static const struct denial *find_order(struct pt_tracer *t, struct tracee *tracee, struct pt_call *made)
{
	struct watched *watched = &tracee->watched;
	const struct call *call = &tracee->call;
	const struct order *order = watch_order(t, call->compat, call->number);
	const struct denial *rule;

	*made = (struct pt_call){.number = call->number, .compat = call->compat};
	made->syscall = syscall_index(syscall_find(call->abi, call->number));
	for (unsigned int i = 0; i < 6; i++)
		made->args[i] = call->compat ? (uint32_t)call->args[i] : call->args[i];
	watched->call = *made;
	watched->watch = order ? order->watch : NULL;
	rule = order ? deny_find(tracee->tid, order->rules, made) : NULL;
	order = rule ? NULL : unpacked_order(t, tracee, made);
	if (!order)
		return rule;
	if (order->watch) {
		watched->call = *made;
		watched->watch = order->watch;
	}
	return deny_find(tracee->tid, order->rules, made);
}

bool watch_enter(struct pt_tracer *t, struct tracee *tracee)
{
	struct watched *watched = &tracee->watched;
	const struct pt_watch *watch;
	const struct denial *rule;
	struct pt_call made;
	bool wanted, needed, refused;

	/* Between fork and execve it is ptmon's own code that a launched tracee runs. */
	if (!t->orders.any || tracee->fresh || tracee->call.abi == ABI_COUNT)
		return call_enter(t, tracee, true);
	rule = find_order(t, tracee, &made);
	refused = rule && deny_error(rule);
	watch = watched->watch;
	wanted = watch && tracee_counts(t, tracee) && !t->detaching;
	watched->emit = wanted && watch->emit;
	watched->hold = wanted && watch->hold && !refused;
	if (watched->emit)
		capture_emit(t, PT_ENTER, tracee, &watched->call, watch->captures);
	if (rule)
		refuse(t, tracee, rule, &made, watch);
	if (!watched->emit && !watched->hold)
		watched->watch = NULL;
	if (watched->hold && hold(t, tracee, HOLD_ENTRY))
		return true;
	needed = call_enter(t, tracee, !refused);
	return needed || watched->watch;
}

void watch_exit(struct pt_tracer *t, struct tracee *tracee, int64_t result)
{
	struct watched *watched = &tracee->watched;

	if (!watched->watch)
		return;
	watched->call.result = result;
	watched->call.at_exit = 1;
	if (watched->emit && t->counting)
		capture_emit(t, PT_RETURN, tracee, &watched->call, watched->watch->captures);
	if (watched->hold && t->counting && !t->detaching)
		hold(t, tracee, HOLD_EXIT);
	watched->watch = NULL;
}
