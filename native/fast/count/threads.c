/* SPDX-License-Identifier: GPL-2.0-or-later
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

/* Whose record it becomes where no thread has this pointer: it was born just now, or its program gives it pointers of
 * its own (a fiber's). The leader, which is the right one where there is no other; not any that happens to be the
 * first. */
static struct tracee *someone(struct pt_tracer *t, const struct image *image)
{
	struct tracee *leader = tracee_find(t, image->group->tgid);

	return leader && leader->group == image->group ? leader : tracee_find(t, image->reader);
}

struct tracee *threads_find(struct pt_tracer *t, struct image *image, uint64_t pointer)
{
	struct fast_thread *threads = image->threads;

	for (unsigned int i = 0; i < image->thread_count; i++) {
		if (threads[i].pointer == pointer) {
			/* A thread that has just written one is likely to write the next. */
			struct fast_thread found = threads[i];

			threads[i] = threads[i / 2];
			threads[i / 2] = found;
			return found.tracee;
		}
	}
	return someone(t, image);
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
