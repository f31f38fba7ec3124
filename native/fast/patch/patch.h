/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program's code gets jumps to stubs, and its own bytes back. */
#ifndef PT_FAST_PATCH_H
#define PT_FAST_PATCH_H

#include "fast/image/code.h"
#include "fast/image/image.h"
#include "fast/patch/verdict.h"

/* Lets the sites of a mapping jump to stubs. The tracee must be in a ptrace-stop; stopped_at is the address of the
 * instruction that has stopped there, or 0. Returns how many; -EAGAIN: not all threads could be stopped; -errno. */
int patch_mapping(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct mapping *mapping,
		  enum patch_choice choice, uint64_t stopped_at);
/* The program's own bytes are put back, and its threads, which must all stand, are taken out of the stubs as far as
 * that can be. What has made its call finishes there. tid: one of them. */
void patch_withdraw(struct pt_tracer *t, struct image *image, pid_t tid);
/* The same while threads run. A thread that is in a stub, and does not stand, finishes there. handled: the thread whose
 * stop is being handled, or 0. */
void patch_withdraw_live(struct pt_tracer *t, struct image *image, pid_t tid, pid_t handled);

/* A part of it. All threads must stand. */
/* Those sites from this one on whose own bytes stand there get their jump, and threads in the middle of these bytes are
 * moved. Returns how many, or -errno: nothing was changed. */
int patch_jumps(struct pt_tracer *t, struct image *image, pid_t tid, unsigned int first);

#endif
