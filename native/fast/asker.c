/* SPDX-License-Identifier: GPL-2.0-only */
#include "fast/asker.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>

#include "fast/layout.h"
#include "fast/twin.h"

/* As ask.S lays it out. */
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
_Static_assert(offsetof(struct saved, taken) == 60 && offsetof(struct saved, mask) == 64, "as in ask.S");
_Static_assert(FAST_SAVED + PLACES_SIZE <= FAST_RING, "places end before the rings begin");

static uint64_t label(const uint8_t *at)
{
	return FAST_ASK + (uint64_t)(at - ask_begin);
}

bool asker_is_inside(uint64_t address)
{
	return address >= FAST_ASK && address < label(ask_end);
}

static bool is_place(uint64_t offset)
{
	return offset < PLACES_SIZE && offset % sizeof(struct saved) == 0;
}

/* r11 may be anything if the program has its own hands in this: it is to lead nowhere else. */
static bool is_call(uint64_t address)
{
	return address >= FAST_TWINS && address < FAST_ASK && (address & ((1u << FAST_TWIN_BITS) - 1)) == TWIN_CALL;
}

/* Its registers are where they were, but it may have taken a place. */
static void find_unsaved(struct asker *asker, uint64_t at)
{
	const uint64_t place = registers_rcx(&asker->regs);

	asker->has_place = at >= label(ask_claimed) || (at == label(ask_tried) && !registers_carry(&asker->regs));
	asker->place = FAST_SAVED + place;
	if (!asker->has_place || is_place(place))
		asker->stage = ASKER_BEFORE;
}

static void find_saved(pid_t tid, struct asker *asker, uint64_t at)
{
	const struct image image = {.reader = tid};
	const uint64_t place = registers_rbx(&asker->regs);
	struct saved saved;

	if (!is_place(place) || image_read(&image, FAST_SAVED + place, &saved, sizeof(saved)) < 0)
		return;
	registers_set_saved(&asker->regs, saved.registers);
	asker->has_place = true;
	asker->place = FAST_SAVED + place;
	asker->mask = saved.mask;
	/* The kernel sets the mask first and then writes the old one: in between no thread stops. */
	asker->is_masked = !(saved.mask >> (SIGKILL - 1) & 1);
	asker->stage = at >= label(ask_sent) ? ASKER_ASKED : ASKER_BEFORE;
}

enum asker_stage asker_find(pid_t tid, struct asker *asker)
{
	uint64_t at;

	*asker = (struct asker){.stage = ASKER_NONE};
	if (registers_read(tid, &asker->regs) < 0 || registers_compat(&asker->regs))
		return ASKER_NONE;
	at = registers_instruction(&asker->regs);
	if (!asker_is_inside(at))
		return ASKER_NONE;
	if (at > label(ask_asked)) {
		asker->stage = ASKER_ALONE;
		return ASKER_ALONE;
	}
	if (at < label(ask_saved))
		find_unsaved(asker, at);
	else
		find_saved(tid, asker, at);
	if (!is_call(registers_r11(&asker->regs)))
		asker->stage = ASKER_NONE;
	return asker->stage;
}

void asker_forget(pid_t tid, const struct asker *asker)
{
	const struct image image = {.reader = tid};
	const uint32_t free_again = 0;

	if (asker->has_place)
		image_write(&image, asker->place + offsetof(struct saved, taken), &free_again, sizeof(free_again));
}

/* In this order: the tracer may be killed in between, and then the thread goes on by itself. With its own mask it does
 * that as well as with ask.S's; and it needs its place until it has its own registers. */
int asker_leave(pid_t tid, struct asker *asker, uint64_t to)
{
	int error;

	if (asker->is_masked && ptrace(PTRACE_SETSIGMASK, tid, sizeof(asker->mask), &asker->mask) < 0)
		return -errno;
	registers_set_instruction(&asker->regs, to);
	registers_forget_call(&asker->regs);
	error = registers_write(tid, &asker->regs);
	if (!error)
		asker_forget(tid, asker);
	return error;
}

/* What is between ask_sent and ask_asked, without the call. */
static void get_signal(pid_t tid)
{
	const uint64_t others = ~(1ull << (FAST_SIGNAL - 1));
	struct registers regs;

	if (registers_read(tid, &regs) < 0 || registers_instruction(&regs) == label(ask_asked))
		return;
	registers_set_instruction(&regs, label(ask_asked));
	registers_forget_call(&regs);
	if (registers_write(tid, &regs) == 0)
		ptrace(PTRACE_SETSIGMASK, tid, sizeof(others), &others);
}

void asker_go_back(pid_t tid)
{
	struct asker asker;

	switch (asker_find(tid, &asker)) {
	case ASKER_BEFORE:
		asker_leave(tid, &asker, registers_r11(&asker.regs) - TWIN_CALL);
		break;
	case ASKER_ASKED:
		get_signal(tid);
		break;
	default:
		break;
	}
}

/* One word of each place that is taken. */
static int write_all(pid_t reader, size_t offset, uint32_t value)
{
	const struct image image = {.reader = reader};
	struct saved *places = malloc(PLACES_SIZE);
	int error = places ? image_read(&image, FAST_SAVED, places, PLACES_SIZE) : -ENOMEM;

	for (unsigned int i = 0; i < FAST_THREADS && !error; i++)
		if (places[i].taken)
			error = image_write(&image, FAST_SAVED + i * sizeof(struct saved) + offset, &value,
					    sizeof(value));
	free(places);
	return error;
}

int asker_forget_all(pid_t reader)
{
	return write_all(reader, offsetof(struct saved, taken), 0);
}

int asker_answer_all(pid_t reader)
{
	return write_all(reader, offsetof(struct saved, answer), 1);
}

void asker_answer(pid_t tid)
{
	struct registers regs;

	if (registers_read(tid, &regs) < 0 || registers_instruction(&regs) <= label(ask_restored) ||
	    registers_instruction(&regs) >= label(ask_answered))
		return;
	registers_set_instruction(&regs, label(ask_answered));
	registers_write(tid, &regs);
}
