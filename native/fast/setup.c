/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a tracee gets its image: mapped by calls that it is made to do, or copied by a fork.
 */
#include "fast/setup.h"
#include "fast/count/fading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls/watch.h"
#include "fast/count/attempts.h"
#include "fast/count/endings.h"
#include "fast/count/peers.h"
#include "fast/count/records.h"
#include "fast/count/ring.h"
#include "fast/count/slots.h"
#include "fast/count/stamp.h"
#include "fast/image/emit_code.h"
#include "fast/image/handover.h"
#include "fast/image/image.h"
#include "fast/image/kinds.h"
#include "fast/image/known.h"
#include "fast/image/layout.h"
#include "fast/image/mapping.h"
#include "fast/image/maps.h"
#include "fast/image/requester.h"
#include "fast/patch/inject.h"
#include "fast/patch/returns.h"
#include "machine/memory.h"
#include "machine/registers.h"
#include "process/tracee.h"

struct image *image_begin(struct pt_tracer *t, struct tracee *tracee)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	image->group = tracee->group;
	image->files = tracee->files;
	image->reader = tracee->tid;
	image->stubs_end = FAST_STUBS_FIRST;
	ring_reset(image);
	stamp_look(t);
	image->next = t->fast_state.images;
	t->fast_state.images = image;
	tracee->group->fast.image = image;
	tracee->files->image = image;
	return image;
}

void image_destroy(struct pt_tracer *t, struct image *image)
{
	struct image **at = &t->fast_state.images;

	while (*at && *at != image)
		at = &(*at)->next;
	if (*at)
		*at = image->next;
	records_give_up(t, image);
	endings_drop(t, image);
	attempts_drop(image);
	fading_end(t, image);
	ring_destroy(image);
	if (image->files && image->files->image == image)
		image->files->image = NULL;
	image->group->fast.image = NULL;
	free(image->sites);
	free(image->tried);
	known_destroy(image);
	free(image->threads);
	free(image->handled.list);
	free(image->learnt.generations);
	free(image);
}

/* Memory that a tracer has left which was killed before it was of use is as good as new. */
static int map_both(struct pt_tracer *t, struct tracee *tracee)
{
	static const struct inject_map all[] = {
		{FAST_DATA, FAST_DATA_SIZE, PROT_READ | PROT_WRITE},
		{FAST_CODE, FAST_CODE_SIZE, PROT_READ | PROT_EXEC},
	};
	struct inject_map missing[2];
	unsigned int count = 0;

	/* What lies between the two would go with them (leave.c). */
	if (mapped_within(tracee->tid, FAST_DATA + FAST_DATA_SIZE, FAST_CODE))
		return -EEXIST;

	for (unsigned int i = 0; i < 2; i++)
		if (!mapping_is_anonymous(tracee->tid, all[i].address, all[i].size))
			missing[count++] = all[i];
	return count ? inject_maps(t, tracee, missing, count) : 0;
}

static void set_bit(uint64_t watched[FAST_NUMBERS / 64], uint64_t number)
{
	if (number < FAST_NUMBERS)
		watched[number / 64] |= 1ull << number % 64;
}

static bool has_stub(uint64_t number)
{
	for (const struct stub *stub = stub_table; stub < stub_table_end; stub++)
		if (stub->number >= 0 && (uint64_t)stub->number == number)
			return true;
	return false;
}

/* These calls stop: those that are emitted, held or refused; those of the table that no stub counts; and those that
 * could touch this memory, though of some of them a stub looks at the arguments first. */
static uint32_t wanted(const struct pt_tracer *t, const struct image *image, uint64_t watched[FAST_NUMBERS / 64])
{
	uint32_t flags = (t->options.aggregate ? 0 : FAST_TIMED) | (image->files->users > 1 ? FAST_UNSAID : 0) |
			 (t->options.names ? FAST_HEEDS : 0);
	unsigned int count;
	const struct syscall_entry *table = syscall_table(&count);

	for (unsigned int i = 0; i < count; i++)
		if (table[i].number[ABI_NATIVE] >= 0 && table[i].rule != RULE_CONNECT &&
		    !(t->filtered && table[i].rule == RULE_IO_URING_ENTER) &&
		    (t->options.no_follow || table[i].rule != RULE_VFORK) && !syscall_is_source(&table[i]))
			set_bit(watched, (uint64_t)table[i].number[ABI_NATIVE]);
	for (uint64_t number = 0; number < FAST_NUMBERS; number++)
		if (watch_order(t, false, number) || (kinds_touching(ABI_NATIVE, number) && !has_stub(number)) ||
		    (!t->filtered && kinds_always_change_code(number)))
			set_bit(watched, number);
	for (unsigned int i = 0; i < FAST_CALLS; i++)
		if (watch_order(t, false, fast_calls[i]))
			flags |= 1u << i;
	for (uint64_t number = 0; number < FAST_NUMBERS; number++)
		if (kinds_ask(number) && watch_order(t, false, number))
			flags |= FAST_NO_ENDINGS;
	for (uint64_t number = 0; number < FAST_NUMBERS; number++)
		if (kinds_ask_of_attempts(number) && watch_order(t, false, number))
			set_bit(watched, SYS_connect);
	return flags;
}

/* Those, and the calls that have stubs. */
static int write_numbers(const struct image *image, uint64_t watched[FAST_NUMBERS / 64])
{
	const size_t size = FAST_NUMBERS / 8;
	int error = image_write(image, FAST_WATCHED, watched, size);

	for (const struct stub *stub = stub_table; stub < stub_table_end; stub++)
		if (stub->number >= 0)
			set_bit(watched, (uint64_t)stub->number);
	return error ? error : image_write(image, FAST_KNOWN, watched, size);
}

/* What the stubs look at before anything else. */
static int write_header(const struct pt_tracer *t, struct image *image)
{
	uint64_t watched[FAST_NUMBERS / 64] = {0}, magic = FAST_MAGIC_WORD;
	int error;

	image->flags = image->own_flags = wanted(t, image, watched);
	error = ring_write(image);
	if (!error)
		error = image_write(image, FAST_FLAGS, &image->flags, sizeof(image->flags));
	if (!error)
		error = write_numbers(image, watched);
	if (!error)
		error = image_write(image, FAST_MAGIC, &magic, sizeof(magic));
	return error;
}

/* What there is once, for all sites. */
static int write_code(const struct image *image)
{
	int error = memory_write_code(image->reader, FAST_REQUEST, request_begin,
				      (size_t)(request_end - request_begin));

	if (!error)
		error = memory_write_code(image->reader, FAST_ENDING, ending_begin,
					  (size_t)(ending_end - ending_begin));
	return error ? error
		     : memory_write_code(image->reader, FAST_ATTEMPT, attempt_begin,
					 (size_t)(attempt_end - attempt_begin));
}

int image_reset(struct pt_tracer *t, struct image *image)
{
	struct slots {
		uint8_t bytes[1024 << FAST_SLOT_BITS];
	} *slots = malloc(sizeof(*slots));
	int error = slots ? 0 : -ENOMEM;

	for (uint64_t at = FAST_SLOTS; at < FAST_SLOTS_END && !error; at += sizeof(*slots)) {
		uint8_t used = 0;

		error = image_read(image, at, slots, sizeof(*slots));
		for (size_t i = 0; i < sizeof(*slots); i++)
			used |= slots->bytes[i];
		/* Memory that was never used is not touched: it takes no page then. */
		memset(slots, 0, sizeof(*slots));
		if (!error && used)
			error = image_write(image, at, slots, sizeof(*slots));
	}
	free(slots);
	if (!error)
		error = endings_forget(image, true);
	if (!error)
		error = attempts_forget(image, true);
	if (!error)
		error = peers_forget_all(image);
	return error ? error : write_header(t, image);
}

struct image *image_create(struct pt_tracer *t, struct tracee *tracee, int *error)
{
	struct image *image;

	*error = map_both(t, tracee);
	if (*error)
		return NULL;
	image = image_begin(t, tracee);
	*error = image ? write_code(image) : -ENOMEM;
	if (!*error)
		*error = handover_write(image, tracee->tid, 0);
	if (!*error)
		*error = write_header(t, image);
	if (*error && image) {
		image_destroy(t, image);
		image = NULL;
	}
	return image;
}

static void *copy_of(const void *from, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (copy && size)
		memcpy(copy, from, size);
	return copy;
}

/* The child has an fd table of its own, of which the tracer has learnt nothing yet; and calls that were under way in
 * other threads of its parent are not under way in it. */
static int clear_slots(const struct image *image, unsigned int fds)
{
	static const uint8_t zeros[64 << FAST_SLOT_BITS];
	uint8_t touched[FAST_TOUCHED_SIZE / 8];
	int error = image_read(image, FAST_TOUCHED, touched, sizeof(touched));

	for (unsigned int fd = 0; fd < FAST_FDS && !error; fd += 64)
		if (fd < fds || touched[fd / 64 / 8] >> fd / 64 % 8 & 1)
			error = image_write(image, FAST_SLOTS + ((uint64_t)fd << FAST_SLOT_BITS), zeros, sizeof(zeros));
	if (!error)
		error = endings_forget(image, false);
	return error ? error : attempts_forget(image, false);
}

struct image *image_copy(struct pt_tracer *t, const struct image *of, struct tracee *child)
{
	struct image *image = of->lost ? NULL : image_begin(t, child);

	if (!image)
		return NULL;
	image->flags = image->own_flags = of->own_flags & ~FAST_UNSAID; /* it has one thread */
	image->handled.lost = of->handled.lost ||
			      of->handled.count; /* its stacks are copied, by threads that are not */
	image->stubs_end = of->stubs_end;
	image->sites = copy_of(of->sites, of->site_count * sizeof(*of->sites));
	image->tried = copy_of(of->tried, of->tried_count * sizeof(*of->tried));
	if (image->sites && image->tried && known_copy(image, of) == 0) {
		image->site_count = of->site_count;
		image->tried_count = of->tried_count;
		image->stage = of->stage < IMAGE_WITHDRAWN ? IMAGE_USED : IMAGE_WITHDRAWN;
		image->by_request = of->by_request;
		/* Records before this one are its parent's. */
		if (of->files && clear_slots(image, of->files->size) == 0 && ring_skip(image) == 0 &&
		    (!of->by_request || requester_forget_all(child->tid) == 0) && ring_write(image) == 0 &&
		    image_write(image, FAST_FLAGS, &image->flags, sizeof(image->flags)) == 0)
			return image;
	}
	image_destroy(t, image);
	return NULL;
}

void image_forget(struct pt_tracer *t, struct group *group)
{
	struct tracee *tracee;

	returns_forget(group);
	if (!group->fast.image)
		return;
	for_each_tracee (t, tracee)
		if (tracee->fast.borrows == group->fast.image)
			tracee->fast.borrows = NULL;
	image_destroy(t, group->fast.image);
}
