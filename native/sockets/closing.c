/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The race that fd tables are about: while thread A stands before close(5), or runs in it, thread B may transfer on 5,
 * and thread C may get 5 anew from accept(). A's stop comes before the close happens, and when it has happened nothing
 * shows but A's next stop. So from the one stop to the other fd 5 is "closing": it is looked up at every transfer, and
 * what it names is not kept. A close costs no exit-stop this way, and a wrong socket is never remembered.
 */
#include "sockets/closing.h"

static void note_change(struct files *files, unsigned int first, unsigned int last)
{
	files->changed[files->changes++ % CHANGES_KEPT] = (struct fd_range){.first = first, .last = last};
}

bool closing_changed(const struct files *files, int fd, uint64_t since)
{
	if (files->changes - since > CHANGES_KEPT)
		return true;
	for (; since < files->changes; since++) {
		const struct fd_range *range = &files->changed[since % CHANGES_KEPT];

		if (range->first <= (unsigned int)fd && (unsigned int)fd <= range->last)
			return true;
	}
	return false;
}

void closing_begin(struct tracee *tracee, unsigned int first, unsigned int last)
{
	struct files *files = tracee->files;

	note_change(files, first, last);
	if (files->users == 1 || tracee->closing.on)
		return; /* nobody else could look one of them up before this tracee's next stop */
	tracee->closing = (struct closing){.on = true, .first = first, .last = last, .next = files->closing};
	files->closing = tracee;
}

bool closing_any(const struct files *files, unsigned int fd)
{
	for (const struct tracee *at = files->closing; at; at = at->closing.next)
		if (at->closing.first <= fd && fd <= at->closing.last)
			return true;
	return false;
}

void closing_settle(struct tracee *tracee)
{
	struct tracee **at;

	if (!tracee->closing.on)
		return;
	tracee->closing.on = false;
	note_change(tracee->files, tracee->closing.first, tracee->closing.last);
	for (at = &tracee->files->closing; *at && *at != tracee; at = &(*at)->closing.next)
		;
	if (*at)
		*at = tracee->closing.next;
}
