/* SPDX-License-Identifier: GPL-2.0-or-later
 * How far a thread has come that stands in a stub or in a twin. */
#ifndef PT_FAST_POSITION_H
#define PT_FAST_POSITION_H

#include "fast/image/image.h"

enum stage {
	STAGE_ROOM,   /* the instructions in front of the call are not all done: nothing has begun */
	STAGE_BEFORE, /* before the call */
	STAGE_CALL, /* right behind its instruction: in the call, which the kernel may make again, or just out of it */
	STAGE_BEHIND, /* it is being counted */
	STAGE_TAIL    /* nothing is left but the instructions behind the call */
};

struct position {
	const struct fast_site *site;
	const struct stub_body *body; /* the call in whose part of a stub it is, or NULL */
	uint32_t offset;	      /* from the begin of the stub, or twin */
	enum stage stage;
	bool in_stub;	 /* else in a twin */
	bool under_way;	 /* counted in the fd's slot */
	bool closing;	 /* its fd's generation is odd (at body->closing itself: unless the carry flag is set) */
	bool connecting; /* it has an entry of attempt.S (at body->ready itself: unless the carry flag is set), or has
			    written it since */
};

/* False: the address is in neither. */
bool position_find(const struct image *image, uint64_t address, struct position *place);
/* Does its call make a record? (To close an fd makes none.) */
bool place_counts(const struct position *place);

#endif
