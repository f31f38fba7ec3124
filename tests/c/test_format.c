/* SPDX-License-Identifier: GPL-2.0-or-later
 * Transfers as text: groups, and buffers that are just large enough. What Python would write is tested from there. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "ptmon_api.h"

#define START 1000
#define ROWS 1000

static struct pt_record rows[ROWS];
static struct pt_group groups[ROWS];
static uint32_t group_of[ROWS];

static void check_runs(void)
{
	struct pt_record three[] = {{.kind = PT_TRANSFER}, {.kind = PT_TRANSFER}, {.kind = PT_CLOSE}};

	CHECK(pt_transfers(three, 0) == 0);
	CHECK(pt_transfers(three, 2) == 2);
	CHECK(pt_transfers(three, 3) == 2);
	CHECK(pt_transfers(three + 2, 1) == 0);
}

static void check_groups(void)
{
	for (int row = 0; row < ROWS; row++)
		rows[row] = (struct pt_record){.kind = PT_TRANSFER, .time = START, .socket = row % 7, .bytes = 2};
	CHECK(pt_group(rows, ROWS, START, groups, group_of) == 7);
	CHECK(groups[6].first == 6 && groups[6].count == ROWS / 7 && groups[6].bytes == 2 * (ROWS / 7));
	CHECK(group_of[0] == 0 && group_of[7] == 0 && group_of[8] == 1);
	for (int row = 0; row < ROWS; row++)
		rows[row].socket = row; /* all of them differ */
	CHECK(pt_group(rows, ROWS, START, groups, group_of) == ROWS);
	rows[0].time = START - 1; /* before the start, as if at it */
	rows[1] = rows[0];
	rows[1].time = START + 999999999;
	CHECK(pt_group(rows, 2, START, groups, group_of) == 1);
	rows[1].time++;
	CHECK(pt_group(rows, 2, START, groups, group_of) == 2);
}

static void check_text(void)
{
	const struct pt_frame frames[] = {{1, 2, 1}, {0, 1, 1}};
	const uint8_t *text = (const uint8_t *)"a==\n;\n";
	const char *told = "a1.5==18446744073709551615\n2e-06;0\n";
	uint8_t to[256];

	rows[0] = (struct pt_record){.time = START + 1500000000, .bytes = UINT64_MAX};
	rows[1] = (struct pt_record){.time = START + 1500};
	group_of[0] = 0;
	group_of[1] = 1;
	CHECK(pt_format(rows, 2, START, group_of, frames, 2, text, to, sizeof(to)) == (int64_t)strlen(told));
	CHECK(!memcmp(to, told, strlen(told)));
	CHECK(pt_format(rows, 2, START, group_of, frames, 2, text, to, 60) == -ENOSPC);
	CHECK(pt_format(rows, 0, START, group_of, frames, 0, text, to, 0) == 0);
}

int main(void)
{
	check_runs();
	check_groups();
	check_text();
	return 0;
}
