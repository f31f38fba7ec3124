/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A stub knows its thread by its thread pointer alone, and so do records.
 */
#include "fast/count/threads.h"

#include <stdlib.h>

#include "fast/count/ring.h"
#include "fast/image/layout.h"
#include "machine/registers.h"
#include "process/tracee.h"

bool threads_add(struct image *image, struct tracee *tracee)
{
	struct fast_thread *more;

	if (image->thread_count == FAST_THREADS)
		return false;
	/* The thread pointer of a thread that does not stand is read later, if it was not before. */
	registers_peek_thread_pointer(tracee->tid, &tracee->fast.thread_pointer);
	tracee->fast.unnamed = !tracee->fast.thread_pointer;
	if (tracee->fast.unnamed)
		return ring_reserve(image) == 0;
	for (unsigned int i = 0; i < image->thread_count; i++)
		if (image->threads[i].pointer == tracee->fast.thread_pointer)
			return image->threads[i].tracee == tracee;
	more = realloc(image->threads, (image->thread_count + 1) * sizeof(*more));
	if (!more)
		return false;
	image->threads = more;
	more[image->thread_count++] = (struct fast_thread){tracee->fast.thread_pointer, tracee};
	return ring_reserve(image) == 0;
}

void threads_remove(struct image *image, const struct tracee *tracee)
{
	/* One may be there twice: its pointer was another one before it had set up its thread-local storage. */
	for (unsigned int i = image->thread_count; i-- > 0;)
		if (image->threads[i].tracee == tracee)
			image->threads[i] = image->threads[--image->thread_count];
}

bool threads_add_all(struct pt_tracer *t, struct image *image)
{
	struct tracee *tracee;
	bool all = true;

	for_each_tracee (t, tracee)
		if (tracee->group == image->group && tracee->state != TRACEE_EXITING &&
		    tracee->state != TRACEE_EXPECTED)
			all &= threads_add(image, tracee);
	return all;
}
