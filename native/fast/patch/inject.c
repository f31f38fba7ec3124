/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The tracer may be killed at any instruction of this, and the tracee then runs on by itself, from where it stands,
 * with the registers that it has. So it is not led through the calls by the tracer's hand. It gets a piece of code that
 * makes the calls, loads all registers as they were, and jumps back to where it was: without a tracer it does just
 * that. The tracer only listens at the stops.
 *
 * There is no memory for that code yet, or it is about to be unmapped. But code segments end somewhere in a page, and
 * the rest of it is zeros that nobody runs: it is put there, and taken away again.
 */
#include "fast/patch/inject.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "fast/image/emit_code.h"
#include "fast/image/mapping.h"
#include "fast/image/maps.h"
#include "loop/stop.h"
#include "loop/wait.h"
#include "machine/memory.h"
#include "machine/registers.h"
#include "process/overtaken.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define ROOM 208 /* bytes of zeros that the code needs */
#define MASK 200 /* where in them the signal mask is */

/* A call that the tracee is made to do. */
struct injected {
	uint64_t number;
	uint64_t args[6];
	unsigned int count; /* of arguments */
};

struct search {
	pid_t tid;
	uint64_t found;
};

static bool look(const struct mapping *mapping, void *context)
{
	static const uint8_t zeros[ROOM];
	struct search *search = context;
	uint8_t end[ROOM];

	if (mapping->inode && !mapping->writable &&
	    memory_read(search->tid, mapping->end - ROOM, end, sizeof(end)) == 0 &&
	    memcmp(end, zeros, sizeof(end)) == 0)
		search->found = mapping->end - ROOM;
	return !search->found;
}

/* The end of the vDSO, which every program has, is zeros as well; it is no file's. */
static uint64_t look_in_vdso(const struct tracee *tracee)
{
	uint64_t begin = mapped_vdso(tracee->tid);
	struct search search = {.tid = tracee->tid};
	struct mapping mapping;

	if (!begin || mapping_find(tracee->tid, begin, &mapping) != 1)
		return 0;
	mapping.inode = 1;
	look(&mapping, &search);
	return search.found;
}

static int find_room(const struct tracee *tracee, uint64_t *room)
{
	struct search search = {.tid = tracee->tid};
	int error = mapping_each(tracee->tid, look, &search);

	*room = search.found;
	if (!error && !search.found)
		*room = look_in_vdso(tracee);
	return error ? error : *room ? 0 : -ENOSPC;
}

static uint8_t *put(uint8_t *to, const void *from, size_t length)
{
	memcpy(to, from, length);
	return to + length;
}

/* mov r64, imm64, or mov r32, imm32, which clears the upper half; reg as the processor numbers them */
static uint8_t *put_load(uint8_t *to, unsigned int reg, uint64_t value)
{
	const bool is_long = value > UINT32_MAX;

	if (is_long || reg >= 8)
		*to++ = (uint8_t)(0x40 | (is_long ? 8 : 0) | (reg >= 8 ? 1 : 0));
	*to++ = (uint8_t)(0xb8 + (reg & 7));
	return put(to, &value, is_long ? sizeof(value) : sizeof(uint32_t));
}

/* Moves and calls leave the flags as they are. */
static size_t make(uint8_t code[ROOM], const struct injected *calls, unsigned int count, const struct registers *regs)
{
	static const uint8_t call[2] = {0x0f, 0x05}, jump[6] = {0xff, 0x25, 0, 0, 0, 0};
	struct loaded loaded[REGISTERS_LOADED];
	uint64_t back = registers_instruction(regs);
	uint8_t *at = code;

	for (unsigned int i = 0; i < count; i++) {
		at = put_load(at, 0, calls[i].number);
		for (unsigned int j = 0; j < calls[i].count; j++)
			at = put_load(at, registers_of_argument[j], calls[i].args[j]);
		at = put(at, call, sizeof(call));
	}
	registers_loaded(regs, loaded);
	for (unsigned int i = 0; i < REGISTERS_LOADED; i++)
		at = put_load(at, loaded[i].number, loaded[i].value);
	at = put(at, jump, sizeof(jump));
	at = put(at, &back, sizeof(back));
	return (size_t)(at - code);
}

/* A tick (loop/signals.h) ends a wait, too, and that it ends is no news of the tracee. */
static pid_t wait_here(pid_t tid, int *status)
{
	pid_t got;

	do
		got = waitpid(tid, status, WAIT_FLAGS);
	while (got < 0 && errno == EINTR);
	return got;
}

int inject_next_stop(pid_t tid, int *status)
{
	if ((!overtaken(tid) && ptrace(PTRACE_SYSCALL, tid, 0, 0) < 0) || wait_here(tid, status) < 0)
		return -ESRCH;
	return 0;
}

/* To the next syscall-stop. */
static int go_on(struct pt_tracer *t, pid_t tid)
{
	enum stop_kind kind;
	int status;

	do {
		if (inject_next_stop(tid, &status) < 0)
			return -ESRCH;
		kind = stop_kind(status);
	} while (kind == STOP_INTERRUPT || kind == STOP_SECCOMP);
	if (kind == STOP_SYSCALL)
		return 0;
	wait_keep(t, tid, status);
	return kind == STOP_SIGNAL || kind == STOP_GROUP ? -EAGAIN : -ESRCH;
}

/* Through the calls, each with its two stops. */
static int listen(struct pt_tracer *t, pid_t tid, const struct injected *calls, unsigned int count)
{
	struct registers regs;
	int error = 0;

	for (unsigned int i = 0; i < count && !error; i++) {
		error = go_on(t, tid);
		if (!error)
			error = go_on(t, tid);
		if (!error)
			error = registers_read(tid, &regs);
		if (error)
			break;
		if (registers_result(&regs) < 0)
			error = (int)registers_result(&regs);
		else if (calls[i].number == SYS_mmap && (uint64_t)registers_result(&regs) != calls[i].args[0])
			error = -EEXIST; /* before Linux 4.17 that flag is not known: some other place is mapped now */
	}
	return error;
}

/* The tracee goes through the code, and then on with these registers. */
static int run(struct pt_tracer *t, struct tracee *tracee, uint64_t room, const struct injected *calls,
	       unsigned int count, const struct registers *back, bool before_call)
{
	static const uint8_t zeros[ROOM];
	struct registers regs = *back;
	int error;

	registers_set_instruction(&regs, room);
	registers_forget_call(&regs);
	error = registers_write(tracee->tid, &regs);
	/* The call that it stands before is not made, but it returns. */
	if (!error && before_call)
		error = go_on(t, tracee->tid);
	if (!error)
		error = listen(t, tracee->tid, calls, count);
	if (error != -ESRCH) {
		registers_write(tracee->tid, back);
		memory_write_code(tracee->tid, room, zeros, sizeof(zeros));
	}
	return error;
}

int inject_maps(struct pt_tracer *t, struct tracee *tracee, const struct inject_map *maps, unsigned int count)
{
	struct injected calls[2] = {0};
	struct registers before;
	uint8_t code[ROOM];
	uint64_t room;
	int error = registers_read(tracee->tid, &before);

	for (unsigned int i = 0; i < count; i++)
		calls[i] = (struct injected){
			.number = SYS_mmap,
			.args = {maps[i].address, maps[i].size, (uint64_t)maps[i].protection,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, UINT64_MAX, 0},
			.count = 6,
		};
	if (!error)
		error = find_room(tracee, &room);
	if (!error)
		error = memory_write_code(tracee->tid, room, code, make(code, calls, count, &before));
	return error ? error : run(t, tracee, room, calls, count, &before, false);
}

int inject_unmap(struct pt_tracer *t, struct tracee *tracee, uint64_t address, uint64_t size,
		 const struct registers *back, bool before_call)
{
	const uint64_t all = UINT64_MAX;
	uint8_t code[ROOM] = {0};
	uint64_t room = 0, mask;
	int error = find_room(tracee, &room);
	const struct injected calls[] = {
		{SYS_munmap, {address, size}, 2},
		{SYS_rt_sigprocmask, {SIG_SETMASK, room + MASK, 0, sizeof(mask)}, 4},
	};

	if (!error && ptrace(PTRACE_GETSIGMASK, tracee->tid, sizeof(mask), &mask) < 0)
		error = -errno;
	if (error)
		return error;
	make(code, calls, 2, back);
	memcpy(code + MASK, &mask, sizeof(mask));
	error = memory_write_code(tracee->tid, room, code, sizeof(code));
	if (error)
		return error;
	/* No signal comes in between, which would find the thread where it is not, and half of the work done. The code
	 * itself takes the mask back, for the reason above. */
	ptrace(PTRACE_SETSIGMASK, tracee->tid, sizeof(all), &all);
	error = run(t, tracee, room, calls, 2, back, before_call);
	if (error)
		ptrace(PTRACE_SETSIGMASK, tracee->tid, sizeof(mask), &mask);
	return error;
}
