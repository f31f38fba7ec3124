/* SPDX-License-Identifier: GPL-2.0-or-later
 * Lives: what belongs to one, in which order they begin and end, and what may not come in between. */
#include <string.h>

#include "check.h"
#include "records/emit.h"
#include "records/lives.h"

static struct pt_tracer tracer;
static const struct tracee nobody = {.tid = 1};

static uint32_t begin(uint32_t row)
{
	uint32_t index;
	struct pt_life *life = lives_begin(&tracer, &nobody, &index);

	CHECK(life);
	life->row = row;
	return index;
}

static void end(uint32_t index)
{
	lives_end(&tracer, &nobody, &tracer.out.lives[index]);
}

static struct pt_batch ended(void)
{
	struct pt_batch batch;

	emit_end(&tracer, &batch);
	return batch;
}

static void check_sums(void)
{
	const struct pt_record records[] = {
		{.tgid = 5, .direction = PT_SENT, .calls = 2, .bytes = 70},
		{.tgid = 5, .direction = PT_RECEIVED, .calls = 1, .bytes = 30},
		{.tgid = 5, .direction = PT_PEEKED, .calls = 1, .bytes = 9},
		{.tgid = 5, .direction = PT_SENT, .bytes = 4},
	};
	const struct pt_record other = {.tgid = 6, .direction = PT_SENT, .calls = 1, .bytes = 1};
	struct pt_life life = {0};

	for (unsigned int i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		CHECK(lives_add(&life, &records[i]));
	CHECK(!lives_add(&life, &other));
	CHECK(life.tgid == 5 && life.sent == 74 && life.received == 30 && life.peeked == 9);
	CHECK(life.calls_sent == 2 && life.calls_received == 2);
}

/* One record tells of all of them, until something is told that their order matters to. */
static void check_runs(void)
{
	struct pt_batch batch;
	uint32_t first, second;

	emit_begin(&tracer);
	first = begin(7);
	second = begin(8);
	end(second);
	CHECK(emit(&tracer, PT_CONNECT, &nobody, NULL, 0));
	end(first);
	CHECK(emit(&tracer, PT_CLOSE, &nobody, NULL, 0));
	end(begin(9));
	batch = ended();
	CHECK(batch.count == 4 && batch.life_count == 3 && batch.step_count == 6);
	CHECK(batch.records[0].kind == PT_LIVES && batch.records[0].calls == 4);
	CHECK(batch.records[1].kind == PT_CONNECT && batch.records[2].kind == PT_CLOSE);
	CHECK(batch.records[3].kind == PT_LIVES && batch.records[3].calls == 2);
	CHECK(memcmp(batch.steps, (const uint32_t[]){0, 0, 8, 7, 0, 9}, 6 * sizeof(uint32_t)) == 0);
}

/* A transfer that is in a life only has to do with sums. */
static void check_sums_go_on(void)
{
	const struct pt_record transfer = {.kind = PT_TRANSFER, .calls = 1, .socket = (uint32_t)PT_IN_LIFE};
	struct pt_batch batch;

	emit_begin(&tracer);
	for (int i = 0; i < 3; i++) {
		const uint32_t index = begin(1 + (uint32_t)i);

		emit_transfer(&tracer, &transfer);
		end(index);
	}
	batch = ended();
	CHECK(batch.count == 2 && batch.records[1].calls == 3);
}

static void check_growth(void)
{
	struct pt_batch batch;

	emit_begin(&tracer);
	for (uint32_t i = 0; i < BATCH_RECORDS; i++) {
		CHECK(!emit_full(&tracer));
		CHECK(begin(1 + i) == i);
		end(i);
	}
	CHECK(emit_full(&tracer));
	batch = ended();
	CHECK(batch.count == 1 && batch.life_count == BATCH_RECORDS && batch.step_count == 2 * BATCH_RECORDS);
	for (uint32_t i = 0; i < batch.life_count; i++)
		CHECK(batch.lives[i].row == 1 + i && batch.steps[2 * i] == 0 && batch.steps[2 * i + 1] == 1 + i);
	emit_begin(&tracer);
	CHECK(ended().life_count == 0);
}

static void check_who_wants_single_events_gets_none(void)
{
	uint32_t index;

	tracer.options.aggregate = 0;
	CHECK(!lives_begin(&tracer, &nobody, &index));
	tracer.options.aggregate = 1;
	tracer.options.lives = 0;
	CHECK(!lives_begin(&tracer, &nobody, &index));
}

int main(void)
{
	tracer.options.aggregate = tracer.options.lives = 1;
	CHECK(emit_create(&tracer) == 0);
	check_sums();
	check_runs();
	check_sums_go_on();
	check_growth();
	check_who_wants_single_events_gets_none();
	emit_destroy(&tracer);
	return 0;
}
