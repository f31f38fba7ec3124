/* SPDX-License-Identifier: GPL-2.0-or-later
 * Changes what ptmon keeps in its memory, if it is there.
 *   forger head NUMBER   so many records were begun, it says, in every ring
 *   forger gaps          a ring full of records that were begun, and none is written
 *   forger record CALL FD RESULT   a record of a call that it has not made
 *   forger registers     goes into the middle of a stub, to where a record is written, with a place that is none
 *   forger table AT VALUE [wait]   a byte of the first row of the hand-over table, for each byte on stdin a step:
 *                        sends; forges, if AT is not negative; sends and tells */
#include <stdint.h>

#include "../../native/fast/image/layout.h"
#include "begin.h"

#define BEFORE 200
#define AFTER 1000 /* on a busy machine many are made before all threads can be halted */

struct record {
	uint32_t fd;
	uint16_t call;
	uint16_t round;
	int64_t result;
	uint64_t thread;
	uint64_t time;
};

static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* By a call that ptmon does not answer itself: asked by mincore(2), it gives the addresses back first. */
static int is_there(uint64_t address)
{
	int ends[2], there;

	must(pipe(ends) == 0);
	there = write(ends[1], at(address), 1) == 1;
	must(close(ends[0]) == 0 && close(ends[1]) == 0);
	return there;
}

static volatile uint64_t *head_of(unsigned int ring)
{
	return at(FAST_HEADS + ((uint64_t)ring << FAST_HEAD_BITS));
}

static void forge_record(uint16_t call, uint32_t fd, int64_t result)
{
	const uint64_t number = *head_of(0);
	volatile struct record *record = at(FAST_RING + ((number % FAST_RING_RECORDS) << FAST_RECORD_BITS));

	record->fd = fd;
	record->result = result;
	record->call = call;
	record->round = (uint16_t)(number >> FAST_RING_BITS);
	*head_of(0) = number + 1;
}

/* mov [r11 + FAST_RING + 8], rax */
static uint8_t *find_store(void)
{
	const uint32_t place = FAST_RING + 8;

	for (uint8_t *byte = at(FAST_STUBS), *end = byte + 0x3000; byte < end; byte++)
		if (byte[0] == 0x49 && byte[1] == 0x89 && byte[2] == 0x83 && memcmp(byte + 3, &place, 4) == 0)
			return byte;
	return NULL;
}

static void forge_registers(void)
{
	uint8_t *store = find_store();

	must(store != NULL);
	__asm__ volatile("mov %0, %%r11; mov $3, %%edi; mov $8, %%eax; jmp *%1"
			 :
			 : "r"(0x4141414141410000), "r"(store)
			 : "r11", "rdi", "rax");
}

static void forge(char **argv)
{
	if (strcmp(argv[1], "head") == 0) {
		for (unsigned int ring = 0; ring < FAST_RINGS; ring++)
			*head_of(ring) = strtoull(argv[2], NULL, 0);
	} else if (strcmp(argv[1], "gaps") == 0) {
		*head_of(3) += FAST_RING_RECORDS - 1;
	} else if (strcmp(argv[1], "record") == 0) {
		forge_record((uint16_t)atoi(argv[2]), (uint32_t)atoi(argv[3]), strtoll(argv[4], NULL, 0));
	} else {
		forge_registers();
	}
}

static void step(const char *told)
{
	char byte;

	printf("%s\n", told);
	must(fflush(stdout) == 0 && read(0, &byte, 1) == 1);
}

/* The table's row 0 is behind as many bytes as a row has. */
static void hand_over(int place, int value)
{
	step("ready");
	chat(8, BEFORE);
	step(is_there(FAST_CODE) ? "counted inside" : "nothing there");
	if (place >= 0 && is_there(FAST_CODE)) {
		must(mprotect(at(FAST_CODE), FAST_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
		*(uint8_t *)at(FAST_TABLE + (1u << FAST_TABLE_ROW_BITS) + (unsigned int)place) = (uint8_t)value;
		must(mprotect(at(FAST_CODE), FAST_CODE_SIZE, PROT_READ | PROT_EXEC) == 0);
	}
	step("forged");
	tally->sent = tally->received = tally->calls = tally->errors = 0;
	chat(8, AFTER);
	tally_tell();
}

int main(int argc, char **argv)
{
	must(argc > 1);
	tally_open();
	if (strcmp(argv[1], "table") == 0) {
		hand_over(atoi(argv[2]), atoi(argv[3]));
		return 0;
	}
	chat(8, BEFORE);
	if (is_there(FAST_RING))
		forge(argv);
	chat(8, AFTER);
	tally_tell();
	if (strcmp(argv[1], "registers") == 0)
		raise(SIGSEGV);
	return 0;
}
