/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A site is named by the file that it was mapped from when it was first seen, for at the end nobody can look that up
 * any more. How many there are is up to the program: what finds no room is summed up.
 */
#include "fast/count/explain.h"

#include <stdlib.h>
#include <string.h>

#include "fast/image/kinds.h"
#include "fast/image/layout.h"
#include "fast/image/maps.h"
#include "fast/image/stub.h"
#include "machine/registers.h"
#include "process/tracee.h"
#include "records/emit.h"

#define SITES_MOST 2048
#define FILES_MOST 512
#define NUMBERS_MOST (sizeof((struct pt_site){0}.numbers) / sizeof(uint32_t))

struct explain {
	struct pt_site *sites;
	unsigned int site_count;
	struct mapped_file files[FILES_MOST];
	unsigned int file_count;
	uint64_t inside[FAST_CALLS];
	struct pt_site elsewhere; /* of those that found no room */
};

static struct explain *explain_of(const struct pt_tracer *t, struct group *group)
{
	if (!t->options.explain || !t->counting || !group->counted)
		return NULL;
	if (!group->fast.explain)
		group->fast.explain = calloc(1, sizeof(*group->fast.explain));
	return group->fast.explain;
}

static const struct mapped_file *file_of(struct explain *explain, pid_t tid, uint64_t address)
{
	for (unsigned int i = 0; i < explain->file_count; i++)
		if (address >= explain->files[i].begin && address < explain->files[i].end)
			return &explain->files[i];
	if (explain->file_count == FILES_MOST || !mapped_file(tid, address, &explain->files[explain->file_count]))
		return NULL;
	return &explain->files[explain->file_count++];
}

static struct pt_site *add(struct explain *explain, pid_t tid, uint64_t call)
{
	const struct mapped_file *file = file_of(explain, tid, call);
	struct pt_site *site = realloc(explain->sites, (explain->site_count + 1) * sizeof(*site));

	if (!site)
		return &explain->elsewhere;
	explain->sites = site;
	site += explain->site_count++;
	*site = (struct pt_site){.address = call, .offset = call, .file = UINT32_MAX};
	if (file) {
		site->offset = call - file->begin + file->offset;
		site->file = (uint32_t)(file - explain->files);
	}
	return site;
}

static struct pt_site *find(struct explain *explain, uint64_t call)
{
	for (unsigned int i = 0; i < explain->site_count; i++)
		if (explain->sites[i].address == call)
			return &explain->sites[i];
	return NULL;
}

static struct pt_site *find_or_add(struct explain *explain, pid_t tid, uint64_t call)
{
	struct pt_site *site = find(explain, call);

	if (site)
		return site;
	return explain->site_count < SITES_MOST ? add(explain, tid, call) : &explain->elsewhere;
}

static void add_number(struct pt_site *site, uint64_t number, bool compat)
{
	site->compat |= compat;
	for (unsigned int i = 0; i < site->number_count; i++)
		if (site->numbers[i] == (uint32_t)number)
			return;
	if (site->number_count < NUMBERS_MOST)
		site->numbers[site->number_count++] = (uint32_t)number;
	else
		site->more = 1;
}

/* Where in the program a call is made that stops: behind its jump that is a twin, or a stub. 0: a call of ours. */
static uint64_t call_of(const struct tracee *tracee, uint64_t instruction)
{
	const struct image *image = tracee->fast.borrows ? tracee->fast.borrows : tracee->group->fast.image;
	const uint64_t call = instruction - REGISTERS_CALL_LENGTH;
	const struct fast_site *site;
	uint32_t offset;

	if (!image || call < FAST_CODE || call >= FAST_CODE + FAST_CODE_SIZE)
		return call;
	site = image_stub_of(image, call, &offset);
	if (!site)
		site = image_twin_of(image, call, &offset);
	return site ? site->call : 0;
}

void explain_stop(struct pt_tracer *t, const struct tracee *tracee, enum abi abi, uint64_t instruction, uint64_t number)
{
	struct explain *explain = t->options.explain && tracee->group && !tracee->fresh ? explain_of(t, tracee->group)
											: NULL;
	const uint64_t call = explain && number != (uint64_t)-1 ? call_of(tracee, instruction) : 0;
	struct pt_site *site;

	if (!call)
		return;
	site = find_or_add(explain, tracee->tid, call);
	site->stops++;
	add_number(site, number, abi != ABI_NATIVE);
}

/* A C library has hundreds of others. Where calls stop at one of those it is known already. */
static bool is_of_interest(enum pt_verdict verdict)
{
	return verdict != PT_SITE_OTHER && verdict != PT_SITE_ANY && verdict != PT_SITE_DATA;
}

void explain_site(struct pt_tracer *t, struct group *group, pid_t tid, uint64_t call, uint64_t number,
		  enum pt_verdict verdict)
{
	struct explain *explain = explain_of(t, group);
	struct pt_site *site;

	if (!explain)
		return;
	site = is_of_interest(verdict) ? find_or_add(explain, tid, call) : find(explain, call);
	if (!site || site == &explain->elsewhere)
		return;
	site->verdict = (uint8_t)verdict;
	if (number != EXPLAIN_ANY)
		add_number(site, number, verdict == PT_SITE_FOREIGN);
}

void explain_jumps(struct pt_tracer *t, const struct image *image)
{
	for (unsigned int i = 0; t->options.explain && i < image->site_count; i++) {
		const struct fast_site *site = &image->sites[i];

		if (site->jumps)
			explain_site(t, image->group, image->reader, site->call,
				     site->stub->number >= 0 ? (uint64_t)site->stub->number : EXPLAIN_ANY,
				     PT_SITE_REPLACED);
	}
}

void explain_withdrawn(struct pt_tracer *t, const struct group *group)
{
	struct explain *explain = t->options.explain && !t->detaching ? group->fast.explain : NULL;

	for (unsigned int i = 0; explain && i < explain->site_count; i++)
		if (explain->sites[i].verdict == PT_SITE_REPLACED)
			explain->sites[i].verdict = PT_SITE_WITHDRAWN;
}

void explain_inside(struct pt_tracer *t, struct group *group, uint64_t number, uint64_t calls)
{
	struct explain *explain = explain_of(t, group);

	for (unsigned int i = 0; explain && i < FAST_CALLS; i++)
		if (fast_calls[i] == number)
			explain->inside[i] += calls;
}

static bool makes_counted_calls(const struct pt_site *site)
{
	for (unsigned int i = 0; i < site->number_count; i++)
		if (!site->compat && kinds_counted(site->numbers[i]))
			return true;
	return site->more;
}

/* Of a site that was not looked at, or not replaced after all: why? */
static enum pt_verdict verdict_at_last(const struct pt_tracer *t, const struct group *group, const struct pt_site *site)
{
	const bool fell_back = group->fast.slow || (!t->filtered && group->fast.fallen);

	if (!t->options.fast)
		return PT_SITE_OFF;
	if (site->verdict == PT_SITE_CHOSEN)
		return fell_back ? PT_SITE_FELL_BACK : PT_SITE_BUSY;
	if (site->verdict)
		return site->verdict;
	if (site->compat)
		return PT_SITE_FOREIGN;
	if (!makes_counted_calls(site))
		return PT_SITE_OTHER;
	return fell_back ? PT_SITE_FELL_BACK : PT_SITE_EARLY;
}

static void tell_site(struct pt_tracer *t, const struct tracee *of, const struct explain *explain,
		      const struct pt_site *site)
{
	const char *path = site->file < explain->file_count ? explain->files[site->file].path : "";
	const size_t length = strlen(path);
	struct pt_site *told = malloc(sizeof(*told) + length);

	if (!told)
		return;
	*told = *site;
	told->verdict = (uint8_t)verdict_at_last(t, of->group, site);
	memcpy(told + 1, path, length);
	emit(t, PT_SITE, of, told, sizeof(*told) + length);
	free(told);
}

static void tell_inside(struct pt_tracer *t, const struct tracee *of, const struct explain *explain)
{
	for (unsigned int i = 0; i < FAST_CALLS; i++) {
		struct pt_record *record = explain->inside[i] ? emit(t, PT_INSIDE, of, NULL, 0) : NULL;

		if (record) {
			record->calls = explain->inside[i];
			record->syscall = syscall_index(syscall_find(ABI_NATIVE, fast_calls[i]));
		}
	}
}

void explain_tell(struct pt_tracer *t, struct group *group)
{
	struct explain *explain = group->fast.explain;
	const struct tracee of = {.tid = group->tgid, .group = group};

	if (!explain)
		return;
	if (t->counting) {
		for (unsigned int i = 0; i < explain->site_count; i++)
			tell_site(t, &of, explain, &explain->sites[i]);
		if (explain->elsewhere.stops)
			tell_site(t, &of, explain, &explain->elsewhere);
		tell_inside(t, &of, explain);
	}
	for (unsigned int i = 0; i < explain->file_count; i++)
		free(explain->files[i].path);
	free(explain->sites);
	free(explain);
	group->fast.explain = NULL;
}
