/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which sites of a mapping are to be replaced. */
#ifndef PT_FAST_CHOOSE_H
#define PT_FAST_CHOOSE_H

#include "fast/image/image.h"
#include "fast/image/mapping.h"
#include "fast/patch/verdict.h"

/* Writes stubs for those that have none yet; nothing jumps to them so far. 0 or -errno. */
int choose_stubs(struct pt_tracer *t, struct image *image, struct tracee *tracee, const struct mapping *mapping,
		 enum patch_choice choice, uint64_t stopped_at);

#endif
