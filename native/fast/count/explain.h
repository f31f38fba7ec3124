/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is told of the places in a program that make calls (options.explain): which of them jump to stubs, why others do
 * not, and how often calls stopped at each. */
#ifndef PT_FAST_EXPLAIN_H
#define PT_FAST_EXPLAIN_H

#include "fast/image/image.h"

#define EXPLAIN_ANY UINT64_MAX /* a site that makes no certain call */

/* A call has stopped before it is made (instruction: address behind its syscall instruction). */
void explain_stop(struct pt_tracer *t, const struct tracee *tracee, enum abi abi, uint64_t instruction,
		  uint64_t number);
/* A site was looked at. tid: a thread of the group whose /proc files can be read. */
void explain_site(struct pt_tracer *t, struct group *group, pid_t tid, uint64_t call, uint64_t number,
		  enum pt_verdict verdict);
/* Its jumps were written, or copied by a fork. */
void explain_jumps(struct pt_tracer *t, const struct image *image);
/* Its own code is back. */
void explain_withdrawn(struct pt_tracer *t, const struct group *group);
/* Calls were counted in stubs. */
void explain_inside(struct pt_tracer *t, struct group *group, uint64_t number, uint64_t calls);
/* Tells all of it, and forgets it: its memory is gone, or about to be left. */
void explain_tell(struct pt_tracer *t, struct group *group);

#endif
