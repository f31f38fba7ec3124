/* SPDX-License-Identifier: GPL-2.0-only
 * Architectures without stubs: every call stops. */
#include "fast/fast.h"

#include "records/emit.h"

int fast_call(unsigned int index)
{
	(void)index;
	return -1;
}

bool fast_counts(uint64_t number)
{
	(void)number;
	return false;
}

bool fast_call_stops(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction)
{
	(void)t, (void)tracee, (void)instruction;
	return false;
}

bool fast_shows_code(uint64_t number)
{
	(void)number;
	return false;
}

void fast_call_enters(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t, (void)tracee;
}

void fast_call_stopped(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, int64_t result)
{
	(void)t, (void)tracee, (void)instruction, (void)result;
}

bool fast_asks(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	(void)t, (void)tracee, (void)signal;
	return false;
}

void fast_step_back(const struct pt_tracer *t, const struct tracee *tracee)
{
	(void)t, (void)tracee;
}

bool fast_is_asking(const struct pt_tracer *t, uint64_t instruction)
{
	(void)t, (void)instruction;
	return false;
}

bool fast_lets_go(const struct pt_tracer *t, const struct tracee *tracee)
{
	(void)t, (void)tracee;
	return true;
}

bool fast_tries_again(struct pt_tracer *t, struct tracee *tracee, uint64_t instruction, uint64_t number)
{
	(void)t, (void)tracee, (void)instruction, (void)number;
	return false;
}

void fast_call_ended(struct tracee *tracee, uint64_t instruction, int64_t result)
{
	(void)tracee, (void)instruction, (void)result;
}

bool fast_counts_itself(const struct tracee *tracee, uint64_t instruction)
{
	(void)tracee, (void)instruction;
	return false;
}

enum fast_touches fast_touches(enum abi abi, uint64_t number)
{
	(void)abi, (void)number;
	return FAST_TOUCHES_NOTHING;
}

bool fast_collides(struct pt_tracer *t, struct tracee *tracee, enum abi abi, uint64_t number, const uint64_t args[6])
{
	(void)t, (void)tracee, (void)abi, (void)number, (void)args;
	return false;
}

void fast_mapped(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t, (void)tracee;
}

bool fast_is_taken(const struct pt_tracer *t, const struct tracee *tracee)
{
	(void)t, (void)tracee;
	return false;
}

void fast_prepare(struct pt_tracer *t, pid_t pid)
{
	(void)t, (void)pid;
}

void fast_attached(struct pt_tracer *t, const struct group *group)
{
	(void)t, (void)group;
}

bool fast_interrupted(const struct tracee *tracee)
{
	(void)tracee;
	return false;
}

void fast_detach(struct pt_tracer *t)
{
	(void)t;
}

void fast_leave(struct tracee *child)
{
	(void)child;
}

void fast_before_stop(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t, (void)tracee;
}

void fast_before_signal(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	(void)t, (void)tracee, (void)signal;
}

bool fast_wants_frame(const struct pt_tracer *t, const struct tracee *tracee, int signal)
{
	(void)t, (void)tracee, (void)signal;
	return false;
}

void fast_frame_built(struct tracee *tracee, int signal)
{
	(void)tracee, (void)signal;
}

void fast_cloned(struct pt_tracer *t, struct tracee *child, struct tracee *parent, uint64_t flags)
{
	(void)t, (void)child, (void)parent, (void)flags;
}

void fast_orphaned(struct tracee *child)
{
	(void)child;
}

void fast_born(struct pt_tracer *t, struct tracee *child)
{
	(void)t, (void)child;
}

void fast_executed(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t, (void)tracee;
}

void fast_exiting(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t, (void)tracee;
}

void fast_gone(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t, (void)tracee;
}

void fast_group_gone(struct pt_tracer *t, struct group *group)
{
	(void)t, (void)group;
}

void fast_withdraw(struct pt_tracer *t, struct tracee *tracee, enum pt_fallback reason)
{
	(void)t, (void)tracee, (void)reason;
}

void fast_hides(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t, (void)tracee;
}

void fast_unshares(struct pt_tracer *t, struct tracee *tracee)
{
	(void)t, (void)tracee;
}

void fast_drain(struct pt_tracer *t)
{
	(void)t;
}

void fast_patrol(struct pt_tracer *t)
{
	(void)t;
}

void fast_destroy(struct pt_tracer *t)
{
	(void)t;
}

bool fast_learn(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket)
{
	(void)t, (void)files, (void)fd, (void)socket;
	return true;
}

void fast_stop(const struct files *files, unsigned int fd)
{
	(void)files, (void)fd;
}

void fast_forget(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *was)
{
	(void)t, (void)files, (void)fd, (void)was;
}

enum fast_still fast_still(const struct files *files, unsigned int fd, bool socket)
{
	(void)files, (void)fd, (void)socket;
	return FAST_STANDS;
}

void fast_table_gone(struct files *files)
{
	(void)files;
}

bool fast_busy(const struct files *files, unsigned int fd)
{
	(void)files, (void)fd;
	return false;
}
