/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which socket a record belongs to: what its fd named when the call was made. */
#ifndef PT_FAST_OWNER_H
#define PT_FAST_OWNER_H

#include "fast/image/image.h"

/* Why it is not known. */
enum miss {
	MISS_OPEN,    /* it may be at another time */
	MISS_CLOSED,  /* the fd has been closed since: what a stub has written of that is to be read */
	MISS_UNHEARD, /* or what one has written when it has connected it */
	MISS_NONE     /* it never will be */
};

/* NULL: not known, and *miss says why. */
struct socket *owner_find(struct pt_tracer *t, struct image *image, struct tracee *tracee,
			  const struct records_sum *sum, enum miss *miss);

#endif
