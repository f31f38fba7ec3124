/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/image/requester.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>

#include "fast/image/layout.h"
#include "fast/image/twin.h"
#include "machine/memory.h"

/* As request.S lays it out. */
struct saved {
	uint64_t registers[7]; /* rax, rdi, rsi, rdx, r10, rbx, r11 */
	uint32_t answer;
	uint32_t taken;
	uint64_t mask;
	uint32_t pid;
	uint32_t tid;
	uint32_t unused[12];
};

#define R11 6 /* of registers */
#define PLACES_SIZE ((uint64_t)FAST_THREADS << FAST_SAVED_BITS)

_Static_assert(sizeof(struct saved) == 1 << FAST_SAVED_BITS, "a place");
_Static_assert(offsetof(struct saved, taken) == 60 && offsetof(struct saved, mask) == 64, "as in request.S");
_Static_assert(FAST_SAVED + PLACES_SIZE <= FAST_RING, "places end before the rings begin");

static uint64_t label(const uint8_t *at)
{
	return FAST_REQUEST + (uint64_t)(at - request_begin);
}

bool requester_is_inside(uint64_t address)
{
	return address >= FAST_REQUEST && address < label(request_end);
}

bool requester_is_seen(uint64_t address)
{
	return requester_is_inside(address) && address >= label(request_delivered);
}

static bool is_place(uint64_t offset)
{
	return offset < PLACES_SIZE && offset % sizeof(struct saved) == 0;
}

/* r11 may be anything if the program has its own hands in this: it is to lead nowhere else. */
static bool is_call(uint64_t address)
{
	return address >= FAST_TWINS && address < FAST_REQUEST && (address & ((1u << FAST_TWIN_BITS) - 1)) == TWIN_CALL;
}

/* Its registers are where they were, but it may have taken a place. */
static void find_unsaved(struct requester *requester, uint64_t at)
{
	const uint64_t place = registers_rcx(&requester->regs);

	requester->has_place = at >= label(request_claimed) ||
			       (at == label(request_tried) && !registers_carry(&requester->regs));
	requester->place = FAST_SAVED + place;
	if (!requester->has_place || is_place(place))
		requester->stage = REQUESTER_BEFORE;
}

static void find_saved(pid_t tid, struct requester *requester, uint64_t at)
{
	const uint64_t place = registers_rbx(&requester->regs);
	struct saved saved;

	if (!is_place(place) || memory_read_direct(tid, FAST_SAVED + place, &saved, sizeof(saved)) < 0)
		return;
	registers_set_saved(&requester->regs, saved.registers);
	requester->has_place = true;
	requester->place = FAST_SAVED + place;
	requester->mask = saved.mask;
	/* The kernel sets the mask first and then writes the old one: in between no thread stops. */
	requester->is_masked = !(saved.mask >> (SIGKILL - 1) & 1);
	requester->stage = at >= label(request_sent) ? REQUESTER_SENT : REQUESTER_BEFORE;
}

enum requester_stage requester_find(pid_t tid, struct requester *requester)
{
	uint64_t at;

	*requester = (struct requester){.stage = REQUESTER_NONE};
	if (registers_read(tid, &requester->regs) < 0 || registers_compat(&requester->regs))
		return REQUESTER_NONE;
	at = registers_instruction(&requester->regs);
	if (!requester_is_inside(at))
		return REQUESTER_NONE;
	if (at > label(request_delivered)) {
		requester->stage = REQUESTER_ALONE;
		return REQUESTER_ALONE;
	}
	if (at < label(request_saved))
		find_unsaved(requester, at);
	else
		find_saved(tid, requester, at);
	if (!is_call(registers_r11(&requester->regs)))
		requester->stage = REQUESTER_NONE;
	return requester->stage;
}

void requester_forget(pid_t tid, const struct requester *requester)
{
	const uint32_t free_again = 0;

	if (requester->has_place)
		memory_write_direct(tid, requester->place + offsetof(struct saved, taken), &free_again,
				    sizeof(free_again));
}

/* In this order: the tracer may be killed in between, and then the thread goes on by itself. With its own mask it does
 * that as well as with request.S's; and it needs its place until it has its own registers. */
int requester_leave(pid_t tid, struct requester *requester, uint64_t to)
{
	int error;

	if (requester->is_masked && ptrace(PTRACE_SETSIGMASK, tid, sizeof(requester->mask), &requester->mask) < 0)
		return -errno;
	registers_set_instruction(&requester->regs, to);
	registers_forget_call(&requester->regs);
	error = registers_write(tid, &requester->regs);
	if (!error)
		requester_forget(tid, requester);
	return error;
}

/* What is between request_sent and request_delivered, without the call. */
static void get_signal(pid_t tid)
{
	const uint64_t others = ~(1ull << (FAST_SIGNAL - 1));
	struct registers regs;

	if (registers_read(tid, &regs) < 0 || registers_instruction(&regs) == label(request_delivered))
		return;
	registers_set_instruction(&regs, label(request_delivered));
	registers_forget_call(&regs);
	if (registers_write(tid, &regs) == 0)
		ptrace(PTRACE_SETSIGMASK, tid, sizeof(others), &others);
}

void requester_go_back(pid_t tid)
{
	struct requester requester;

	switch (requester_find(tid, &requester)) {
	case REQUESTER_BEFORE:
		requester_leave(tid, &requester, registers_r11(&requester.regs) - TWIN_CALL);
		break;
	case REQUESTER_SENT:
		get_signal(tid);
		break;
	default:
		break;
	}
}

/* One word of each place that is taken. */
static int write_all(pid_t reader, size_t offset, uint32_t value)
{
	struct saved *places = malloc(PLACES_SIZE);
	int error = places ? memory_read_direct(reader, FAST_SAVED, places, PLACES_SIZE) : -ENOMEM;

	for (unsigned int i = 0; i < FAST_THREADS && !error; i++)
		if (places[i].taken)
			error = memory_write_direct(reader, FAST_SAVED + i * sizeof(struct saved) + offset, &value,
						    sizeof(value));
	free(places);
	return error;
}

int requester_forget_all(pid_t reader)
{
	return write_all(reader, offsetof(struct saved, taken), 0);
}

int requester_answer_all(pid_t reader)
{
	return write_all(reader, offsetof(struct saved, answer), 1);
}

void requester_answer(pid_t tid)
{
	struct registers regs;

	if (registers_read(tid, &regs) < 0 || registers_instruction(&regs) <= label(request_restored) ||
	    registers_instruction(&regs) >= label(request_answered))
		return;
	registers_set_instruction(&regs, label(request_answered));
	registers_write(tid, &regs);
}
