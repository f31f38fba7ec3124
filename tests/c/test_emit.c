/* SPDX-License-Identifier: GPL-2.0-or-later
 * Batches: equal transfers become one record, order against other records is kept, and data grows as it must. */
#include <string.h>

#include "check.h"
#include "records/emit.h"

static struct pt_tracer tracer;

static void transfer(int tid, uint32_t socket, uint64_t bytes)
{
	const struct pt_record record = {.kind = PT_TRANSFER, .tid = tid, .socket = socket, .calls = 1, .bytes = bytes};

	emit_transfer(&tracer, &record);
}

static void check_aggregation(void)
{
	const struct tracee nobody = {.tid = 1};
	struct pt_batch batch;

	tracer.options.aggregate = 1;
	emit_begin(&tracer);
	transfer(1, 1, 35);
	transfer(1, 2, 7);
	transfer(1, 1, 36);
	CHECK(emit(&tracer, PT_CLOSE, &nobody, NULL, 0));
	transfer(1, 1, 3); /* after the close: must not be added to what was before it */
	emit_end(&tracer, &batch);
	CHECK(batch.count == 4);
	CHECK(batch.records[0].calls == 2 && batch.records[0].bytes == 71);
	CHECK(batch.records[1].bytes == 7);
	CHECK(batch.records[2].kind == PT_CLOSE);
	CHECK(batch.records[3].calls == 1 && batch.records[3].bytes == 3);
}

static void check_single_records(void)
{
	struct pt_batch batch;

	tracer.options.aggregate = 0;
	emit_begin(&tracer);
	transfer(1, 1, 35);
	transfer(1, 1, 35);
	emit_end(&tracer, &batch);
	CHECK(batch.count == 2 && batch.records[0].calls == 1);
}

static void timed(int tid, uint64_t time)
{
	const struct pt_record record = {.kind = PT_TRANSFER, .time = time, .tid = tid, .calls = 1};

	emit_transfer(&tracer, &record);
}

static struct pt_batch ended(void)
{
	struct pt_batch batch;

	emit_end(&tracer, &batch);
	for (uint32_t i = 1; i < batch.count; i++) {
		const struct pt_record *one = &batch.records[i - 1], *other = &batch.records[i];

		CHECK(one->time < other->time || (one->time == other->time && one->tid < other->tid));
	}
	return batch;
}

/* What was found out later may have been earlier: runs of any length, neighbours that have changed places, and equal
 * times, which stay as they came. */
static void check_order(void)
{
	const uint32_t counts[] = {0, 1, 2, 15, 16, 17, 31, 33, 1000, 40000};

	tracer.options.aggregate = 0;
	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		const int count = (int)counts[i];

		emit_begin(&tracer);
		for (int row = 0; row < count; row++) /* two runs, one behind the other */
			timed(row, (uint64_t)(row % (count / 2 + 1)) / 3);
		CHECK(ended().count == counts[i]);
		emit_begin(&tracer);
		for (int row = 0; row < count; row++)
			timed(row, (uint64_t)(row ^ 5) / 2);
		CHECK(ended().count == counts[i]);
		emit_begin(&tracer);
		for (int row = 0; row < count; row++)
			timed(row, (uint64_t)(count - row));
		CHECK(ended().count == counts[i]);
	}
}

/* Where equal ones are one record it bears the time of the first, and the order tells more. */
static void check_order_of_sums(void)
{
	struct pt_batch batch;

	tracer.options.aggregate = 1;
	emit_begin(&tracer);
	timed(1, 9);
	timed(2, 3);
	emit_end(&tracer, &batch);
	CHECK(batch.count == 2 && batch.records[0].time == 9);
	tracer.options.aggregate = 0;
}

static void check_growth(void)
{
	const struct tracee nobody = {.tid = 1};
	struct pt_batch batch;
	char data[1000];

	emit_begin(&tracer);
	for (int i = 0; i < 3 * BATCH_RECORDS; i++) {
		memset(data, i % 128, sizeof(data));
		CHECK(emit(&tracer, PT_EXEC, &nobody, data, sizeof(data)));
	}
	CHECK(emit_full(&tracer));
	emit_end(&tracer, &batch);
	CHECK(batch.count == 3 * BATCH_RECORDS);
	for (uint32_t i = 0; i < batch.count; i++) {
		const struct pt_record *record = &batch.records[i];

		CHECK(record->data_length == sizeof(data) && record->data_offset % 8 == 0);
		CHECK(batch.data[record->data_offset + 999] == i % 128);
	}
}

static void check_warnings_once(void)
{
	struct group group = {.tgid = 5};
	struct tracee tracee = {.tid = 5, .group = &group};
	struct pt_batch batch;

	emit_begin(&tracer);
	emit_warning(&tracer, &tracee, PT_REASON_AIO, NULL, 0);
	emit_warning(&tracer, &tracee, PT_REASON_AIO, NULL, 0);
	emit_warning(&tracer, &tracee, PT_REASON_PTRACE, NULL, 0);
	emit_end(&tracer, &batch);
	CHECK(batch.count == 2 && batch.records[1].value == PT_REASON_PTRACE);
}

int main(void)
{
	CHECK(emit_create(&tracer) == 0);
	check_aggregation();
	check_single_records();
	check_order();
	check_order_of_sums();
	check_growth();
	check_warnings_once();
	emit_destroy(&tracer);
	return 0;
}
