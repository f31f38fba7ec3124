/* SPDX-License-Identifier: GPL-2.0-only
 *
 * pthread_cancel(3) sends the thread a signal, and the handler unwinds the stack from where the thread stood: glibc by
 * the unwind tables of its own code, which know nothing of stubs; musl if that lies between two labels around its
 * syscall instruction. So before that signal is delivered a thread that has not made its call goes back to where the
 * jump stands, as if it had just come to it. If the handler returns, the call is made then. What the jump replaced in
 * front of the call is run again: where that would do harm the thread stays. No C library has a cancellation point
 * there.
 */
#include "fast/cancel.h"

#include <string.h>

#include "fast/layout.h"
#include "fast/slots.h"
#include "fast/twin.h"
#include "memory.h"
#include "registers.h"
#include "restart.h"

/* mov [rsp+8], r11: the call has lost r11 since, but that is where it was put. */
static void give_back_r11(pid_t tid, const struct fast_site *site, struct registers *regs)
{
	uint64_t value;

	static const uint8_t spill[] = {0x4c, 0x89, 0x5c, 0x24, 0x08};

	if (site->before == sizeof(spill) && memcmp(site->original, spill, sizeof(spill)) == 0 &&
	    memory_read(tid, registers_stack(regs) + 8, &value, sizeof(value)) == 0)
		registers_set_r11(regs, value);
}

/* Is the thread at or in front of its call, or in it and to make it again? */
static bool is_before_call(const struct stub_body *body, const struct stub *stub, uint32_t offset, bool again)
{
	if (offset == stub->plain_done || (body && offset == body->done))
		return again;
	return !(body && offset > body->done) && offset < stub->tail;
}

static const struct stub_body *body_at(const struct stub *stub, uint32_t offset)
{
	for (const struct stub_body *body = stub->bodies; body < stub->bodies_end; body++)
		if (body->under_way <= offset && offset <= body->released)
			return body;
	return NULL;
}

void cancel_before_signal(struct pt_tracer *t, struct image *image, struct tracee *tracee)
{
	const struct stub_body *body = NULL;
	const struct fast_site *site;
	struct registers regs;
	uint32_t offset;
	bool again;

	(void)t;
	if (registers_read(tracee->tid, &regs) < 0)
		return;
	again = restart_pending((int)-registers_result(&regs));
	site = image_stub_of(image, registers_instruction(&regs), &offset);
	if (site) {
		body = body_at(site->stub, offset);
		if (!is_before_call(body, site->stub, offset, again))
			return;
	} else {
		site = image_twin_of(image, registers_instruction(&regs), &offset);
		if (!site || offset > TWIN_DONE || (offset == TWIN_DONE && !again))
			return;
	}
	if (!site->repeatable)
		return;
	if (body && body->under_way != body->done)
		slots_release(image, (unsigned int)registers_argument(&regs, 0, false));
	if (again)
		registers_restart(&regs, (int64_t)registers_number(&regs));
	give_back_r11(tracee->tid, site, &regs);
	registers_set_instruction(&regs, site->begin);
	registers_write(tracee->tid, &regs);
}
