/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A server has rows by the ten thousand a second, each with a few transfers and a close. Where nobody asks for single
 * events these go, with the row, into one struct pt_life. In which order the rows began and ended is told apart (the
 * steps), since whoever keeps only so many rows gives up the one that ended first.
 */
#ifndef PT_LIVES_H
#define PT_LIVES_H

#include "state/tracer.h"

/* A life that begins, all zeros; *index is its place in out.lives, which may move when the next one begins. NULL: out
 * of memory, or nobody asks for lives. */
struct pt_life *lives_begin(struct pt_tracer *t, const struct tracee *tracee, uint32_t *index);
/* It has ended. */
void lives_end(struct pt_tracer *t, const struct tracee *tracee, const struct pt_life *life);
/* Adds calls to it. False: they are another process's. */
bool lives_add(struct pt_life *life, const struct pt_record *transfer);

#endif
