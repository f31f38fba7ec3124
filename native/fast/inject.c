/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The tracer may be killed at any instruction of this, and the tracee then runs on by itself, from where it stands,
 * with the registers that it has. So it is not led through the calls by the tracer's hand. It gets a piece of code that
 * makes the calls, loads all registers as they were, and jumps back to where it was: without a tracer it does just
 * that. The tracer only listens at the stops.
 *
 * There is no memory for that code yet. But code segments end somewhere in a page, and the rest of it is zeros that
 * nobody runs: it is put there, and taken away again.
 */
#include "fast/inject.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "fast/code.h"
#include "fast/writing.h"
#include "memory.h"
#include "registers.h"
#include "stop.h"
#include "wait.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define ROOM 288 /* bytes of zeros that the code needs */

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

static uint8_t *put(uint8_t *to, const void *from, size_t length)
{
	memcpy(to, from, length);
	return to + length;
}

/* mov r64, imm64; reg as the processor numbers them */
static uint8_t *put_load(uint8_t *to, unsigned int reg, uint64_t value)
{
	*to++ = reg < 8 ? 0x48 : 0x49;
	*to++ = (uint8_t)(0xb8 + (reg & 7));
	return put(to, &value, sizeof(value));
}

/* Moves and calls leave the flags as they are. */
static size_t make(uint8_t code[ROOM], const struct inject_map *maps, unsigned int count, const struct registers *regs)
{
	static const uint8_t call[2] = {0x0f, 0x05}, jump[6] = {0xff, 0x25, 0, 0, 0, 0};
	struct loaded loaded[REGISTERS_LOADED];
	uint64_t back = registers_instruction(regs);
	uint8_t *at = code;

	for (unsigned int i = 0; i < count; i++) {
		const uint64_t args[6] = {
			maps[i].address,
			maps[i].size,
			(uint64_t)maps[i].protection,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			UINT64_MAX,
			0,
		};

		at = put_load(at, 0, SYS_mmap);
		for (unsigned int j = 0; j < 6; j++)
			at = put_load(at, registers_of_argument[j], args[j]);
		at = put(at, call, sizeof(call));
	}
	registers_loaded(regs, loaded);
	for (unsigned int i = 0; i < REGISTERS_LOADED; i++)
		at = put_load(at, loaded[i].number, loaded[i].value);
	at = put(at, jump, sizeof(jump));
	at = put(at, &back, sizeof(back));
	return (size_t)(at - code);
}

/* To the next syscall-stop. */
static int go_on(struct pt_tracer *t, pid_t tid)
{
	enum stop_kind kind;
	int status;

	do {
		if (ptrace(PTRACE_SYSCALL, tid, 0, 0) < 0 || waitpid(tid, &status, WAIT_FLAGS) < 0)
			return -ESRCH;
		kind = stop_kind(status);
	} while (kind == STOP_INTERRUPT || kind == STOP_SECCOMP);
	if (kind == STOP_SYSCALL)
		return 0;
	wait_keep(t, tid, status);
	return kind == STOP_SIGNAL || kind == STOP_GROUP ? -EAGAIN : -ESRCH;
}

/* Through the calls, each with its two stops. */
static int listen(struct pt_tracer *t, pid_t tid, const struct inject_map *maps, unsigned int count)
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
		else if ((uint64_t)registers_result(&regs) != maps[i].address)
			error = -EEXIST; /* before Linux 4.17 that flag is not known: some other place is mapped now */
	}
	return error;
}

int inject_maps(struct pt_tracer *t, struct tracee *tracee, const struct inject_map *maps, unsigned int count)
{
	static const uint8_t zeros[ROOM];
	struct search search = {.tid = tracee->tid};
	struct registers before, regs;
	uint8_t code[ROOM];
	int error = registers_read(tracee->tid, &before);

	if (!error)
		error = code_each(tracee->tid, look, &search);
	if (!error && !search.found)
		error = -ENOSPC;
	if (!error)
		error = writing_code(tracee->tid, search.found, code, make(code, maps, count, &before));
	if (error)
		return error;
	regs = before;
	registers_set_instruction(&regs, search.found);
	registers_forget_call(&regs);
	error = registers_write(tracee->tid, &regs);
	if (!error)
		error = listen(t, tracee->tid, maps, count);
	if (error != -ESRCH) {
		registers_write(tracee->tid, &before);
		writing_code(tracee->tid, search.found, zeros, sizeof(zeros));
	}
	return error;
}
