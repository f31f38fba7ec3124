/* SPDX-License-Identifier: GPL-2.0-only */
#include "fast/asking.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fast/again.h"
#include "fast/fast.h"
#include "fast/layout.h"
#include "fast/twin.h"
#include "restart.h"
#include "tracee.h"

/* As ask.S lays it out. */
struct saved {
	uint64_t rax;
	uint64_t rdi;
	uint64_t rsi;
	uint64_t rdx;
	uint64_t r10;
	uint64_t rbx;
	uint64_t r11;
	uint32_t answer;
	uint32_t unused;
	uint64_t mask;
};

static uint64_t label(const uint8_t *at)
{
	return FAST_ASK + (uint64_t)(at - ask_begin);
}

static bool is_in_ask(uint64_t address)
{
	return address >= FAST_ASK && address < label(ask_end);
}

bool asking_is_seen(uint64_t address)
{
	return address >= label(ask_asked) && address < label(ask_end);
}

static bool is_ours(const struct tracee *tracee)
{
	siginfo_t info;

	return ptrace(PTRACE_GETSIGINFO, tracee->tid, 0, &info) == 0 && info.si_code == SI_TKILL &&
	       info.si_pid == tracee->group->tgid;
}

/* Has the program blocked SIGURG, which only gets here since ask.S unblocks it? */
static bool was_blocked(const struct image *image, const struct registers *regs)
{
	uint64_t mask;

	return registers_instruction(regs) >= label(ask_unblocked) &&
	       image_read(image, registers_rbx(regs) + FAST_SAVED + offsetof(struct saved, mask), &mask,
			  sizeof(mask)) == 0 &&
	       mask >> (SIGURG - 1) & 1;
}

/* The program gets its own SIGURG, which was kept while ours was unblocked. */
static void give_urgent(struct tracee *tracee)
{
	if (tracee->owed_urgent)
		syscall(SYS_tkill, tracee->tid, SIGURG);
	tracee->owed_urgent = false;
}

/* To the call that it asks about, or back into its stub. What is left of ask.S is done here, for under PTRACE_SYSCALL
 * its calls would stop, too. */
static bool go_to_call(struct pt_tracer *t, struct tracee *tracee, struct registers *regs)
{
	struct image *image = tracee->group->image;
	const struct fast_site *site;
	uint64_t mask = 0, call;
	uint32_t offset;
	bool again;

	if (!image || !asking_registers(image, regs, &mask))
		return false;
	call = registers_r11(regs);
	site = image_twin_of(image, call, &offset);
	if (!site)
		return false;
	again = again_passes(t, image, tracee, regs, (uint64_t)registers_result(regs));
	registers_set_instruction(regs, again ? again_at(site) : call);
	registers_forget_call(regs);
	if (ptrace(PTRACE_SETSIGMASK, tracee->tid, sizeof(mask), &mask) < 0 || registers_write(tracee->tid, regs) < 0)
		return false;
	tracee->asked += !again;
	give_urgent(tracee);
	return true;
}

/* It goes on in ask.S by itself. */
static void answer(struct tracee *tracee, const struct registers *regs)
{
	const struct image image = {.reader = tracee->tid};
	const uint32_t yes = 1;

	image_write(&image, registers_rbx(regs) + FAST_SAVED + offsetof(struct saved, answer), &yes, sizeof(yes));
	tracee->asked++;
}

bool fast_asks(struct pt_tracer *t, struct tracee *tracee, int signal)
{
	const struct image image = {.reader = tracee->tid};
	struct registers regs;
	bool ours;

	if (!t->options.fast || t->filtered)
		return false;
	ours = signal == SIGURG && is_ours(tracee);
	if (ours && tracee->urgent_comes) {
		tracee->urgent_comes = false;
		return true;
	}
	if (registers_read(tracee->tid, &regs) < 0 || !is_in_ask(registers_instruction(&regs)))
		return false;
	if (registers_instruction(&regs) == label(ask_asked)) {
		if (ours && go_to_call(t, tracee, &regs))
			return true;
		/* Another signal of a lower number comes before the one that it has sent itself. */
		answer(tracee, &regs);
		tracee->urgent_comes = !ours;
		return ours;
	}
	if (signal != SIGURG || !was_blocked(&image, &regs))
		return false;
	tracee->owed_urgent = true; /* until its mask is as it was */
	return true;
}

void fast_call_ended(struct tracee *tracee, uint64_t instruction, int64_t result)
{
	/* One that the kernel is about to make again is to be seen again. */
	if (!tracee->asked || restart_result(result) || instruction < FAST_TWINS || instruction >= FAST_ASK ||
	    (instruction & ((1u << FAST_TWIN_BITS) - 1)) != TWIN_DONE)
		return;
	tracee->asked--;
	give_urgent(tracee);
}

bool fast_counts_itself(const struct tracee *tracee, uint64_t instruction)
{
	return tracee->group->image && instruction > FAST_STUBS && instruction <= FAST_STUBS_END;
}

bool asking_registers(const struct image *image, struct registers *regs, uint64_t *mask)
{
	uint64_t at = registers_instruction(regs);
	struct saved saved;

	if (!is_in_ask(at))
		return false;
	if (at < label(ask_saved))
		return true; /* only rcx and r11 are lost, and those are the call's to lose */
	if (image_read(image, registers_rbx(regs) + FAST_SAVED, &saved, sizeof(saved)) < 0)
		return false;
	registers_set_saved(regs, (const uint64_t *)&saved);
	if (at >= label(ask_unblocked))
		*mask = saved.mask;
	return true;
}

void asking_leave(struct pt_tracer *t, const struct image *image, pid_t tid)
{
	struct tracee *tracee = tracee_find(t, tid);
	const struct fast_site *site;
	struct registers regs;
	uint64_t mask = 0;
	uint32_t offset;
	bool asked;

	if (registers_read(tid, &regs) < 0)
		return;
	/* Who has sent itself the signal has not got it yet, or would have been seen. */
	asked = registers_instruction(&regs) == label(ask_asked);
	if (!asking_registers(image, &regs, &mask))
		return;
	site = image_twin_of(image, registers_r11(&regs), &offset);
	if (!site)
		return;
	if (tracee && asked)
		tracee->urgent_comes = true;
	registers_set_instruction(&regs, site->call);
	registers_forget_call(&regs);
	registers_write(tid, &regs);
	if (mask)
		ptrace(PTRACE_SETSIGMASK, tid, sizeof(mask), &mask);
}
