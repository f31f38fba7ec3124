/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sockets/life.h"

#include <string.h>

#include "records/emit.h"
#include "records/lives.h"

struct pt_socket_info life_info(const struct row *row)
{
	struct pt_socket_info info = row->socket->info;

	if (row->peer_length) {
		memcpy(info.peer, row->peer, row->peer_length);
		info.peer_length = row->peer_length;
	}
	info.opened = row->opened;
	return info;
}

/* NULL: it has none, or one that is over. */
static struct pt_life *life_of(struct pt_tracer *t, const struct row *row)
{
	return row->lives && row->batch == t->out.batch ? &t->out.lives[row->index] : NULL;
}

bool life_begin(struct pt_tracer *t, const struct tracee *tracee, struct row *row)
{
	const struct pt_socket_info info = life_info(row);
	struct pt_life *life;

	if (info.family < 0 || info.local_length > PT_LIFE_ADDRESS || info.peer_length > PT_LIFE_ADDRESS)
		return false;
	life = lives_begin(t, tracee, &row->index);
	if (!life)
		return false;
	life->row = row->id;
	life->inode = info.inode;
	life->opened = info.opened;
	life->connect = info.connect;
	life->family = info.family;
	life->type = info.type;
	life->protocol = info.protocol;
	life->origin = info.origin;
	life->local_length = (uint8_t)info.local_length;
	life->peer_length = (uint8_t)info.peer_length;
	memcpy(life->local, info.local, info.local_length);
	memcpy(life->peer, info.peer, info.peer_length);
	return true;
}

bool life_end(struct pt_tracer *t, const struct tracee *tracee, struct row *row, const struct pt_tcp_info *counters)
{
	struct pt_life *life = life_of(t, row);

	row->lives = false;
	if (!life)
		return false;
	life->closed = (uint64_t)t->now;
	if (counters) {
		life->tcp = *counters;
		life->is_tcp = true;
	}
	lives_end(t, tracee, life);
	return true;
}

void life_transfer(struct pt_tracer *t, struct row *row, struct pt_record *transfer)
{
	struct pt_life *life = row ? life_of(t, row) : NULL;

	if (life && lives_add(life, transfer)) {
		transfer->socket = (uint32_t)PT_IN_LIFE;
		transfer->fd = -1;
	} else if (row) {
		transfer->socket = row->id;
		row->lives = false;
		if (row->closed)
			t->out.run = 0; /* by then another may have been given up for a new one */
	}
	emit_transfer(t, transfer);
}
