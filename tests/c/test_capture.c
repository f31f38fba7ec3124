/* SPDX-License-Identifier: GPL-2.0-or-later
 * What of a call's memory is kept. The "tracee" is this very process. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "calls/capture.h"
#include "check.h"
#include "records/emit.h"

#ifdef MAP_32BIT
#define LOW MAP_32BIT
#else
#define LOW 0
#endif

static struct pt_tracer tracer;
static struct tracee tracee;
static struct pt_batch batch;

struct kept {
	uint64_t address;
	uint64_t length;
	const uint8_t *bytes;
};

static struct kept kept[100];
static unsigned int kept_count;

static void split(const struct pt_record *record, const struct pt_call *call)
{
	const uint8_t *at = batch.data + record->data_offset, *end = at + record->data_length;

	CHECK(record->data_length <= CAPTURE_MOST);
	CHECK(memcmp(at, call, sizeof(*call)) == 0);
	for (at += sizeof(*call), kept_count = 0; at < end; kept_count++) {
		struct pt_chunk chunk;

		CHECK(kept_count < 100 && (uintptr_t)at % 8 == 0);
		memcpy(&chunk, at, sizeof(chunk));
		at += sizeof(chunk);
		kept[kept_count] = (struct kept){chunk.address, chunk.length, at};
		at += (chunk.length + 7) / 8 * 8;
	}
	CHECK(at == end);
}

/* Keeps what one capture of argument 1 says, both at the entry and at the exit. */
static void capture(struct pt_call *call, enum pt_capture_kind kind, uint32_t most)
{
	const struct pt_capture captures[6] = {
		[1] = {.kind = (uint8_t)kind, .at_entry = 1, .at_exit = 1, .most = most}};

	emit_begin(&tracer);
	CHECK(capture_emit(&tracer, PT_ENTER, &tracee, call, captures));
	emit_end(&tracer, &batch);
	CHECK(batch.count == 1);
	split(&batch.records[0], call);
}

static bool is_chunk(unsigned int index, const void *address, size_t length)
{
	return index < kept_count && kept[index].address == (uintptr_t)address && kept[index].length == length &&
	       memcmp(kept[index].bytes, address, length) == 0;
}

/* Three pages, of which the last is not mapped. */
static char *pages(void)
{
	char *memory = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED && munmap(memory + 2 * 4096, 4096) == 0);
	return memory;
}

static void check_strings(void)
{
	char *memory = pages(), *end = memory + 2 * 4096;
	struct pt_call call = {.args = {0, (uintptr_t)"/etc/passwd"}};

	capture(&call, PT_CAPTURE_STRING, 4096);
	CHECK(kept_count == 1 && is_chunk(0, "/etc/passwd", 12));
	capture(&call, PT_CAPTURE_STRING, 4);
	CHECK(kept_count == 1 && kept[0].length == 4);
	/* Ends exactly where the mapping ends. */
	strcpy(end - 6, "right");
	call.args[1] = (uintptr_t)(end - 6);
	capture(&call, PT_CAPTURE_STRING, 4096);
	CHECK(kept_count == 1 && is_chunk(0, end - 6, 6));
	/* Has no end: what there is. */
	memset(memory, 'x', 2 * 4096);
	call.args[1] = (uintptr_t)(end - 5000);
	capture(&call, PT_CAPTURE_STRING, 8000);
	CHECK(kept_count == 1 && kept[0].length == 5000);
	call.args[1] = (uintptr_t)memory;
	capture(&call, PT_CAPTURE_STRING, UINT32_MAX);
	CHECK(kept_count == 1 && kept[0].length == 2 * 4096);
	call.args[1] = 0;
	capture(&call, PT_CAPTURE_STRING, 100);
	CHECK(kept_count == 0);
	call.args[1] = (uintptr_t)end;
	capture(&call, PT_CAPTURE_STRING, 100);
	CHECK(kept_count == 0);
	munmap(memory, 2 * 4096);
}

static void check_arrays(void)
{
	const char *argv[] = {"one", "", "three", NULL, "not this one"};
	const char *many[101];
	uint32_t compat[3];
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | LOW, -1, 0);
	struct pt_call call = {.args = {0, (uintptr_t)argv}};

	capture(&call, PT_CAPTURE_STRINGS, 100);
	CHECK(kept_count == 4 && is_chunk(0, argv, 4 * sizeof(*argv)));
	CHECK(is_chunk(1, argv[0], 4) && is_chunk(2, argv[1], 1) && is_chunk(3, argv[2], 6));
	for (int i = 0; i < 100; i++)
		many[i] = "x";
	many[100] = NULL;
	call.args[1] = (uintptr_t)many;
	capture(&call, PT_CAPTURE_STRINGS, 100);
	CHECK(kept_count == 65 && is_chunk(0, many, 64 * sizeof(*many)) && is_chunk(64, many[63], 2));
	CHECK(low != MAP_FAILED);
	if (!LOW)
		return; /* nothing can be had below 4 GiB, nor are there any programs that would need it */
	strcpy(low, "in");
	strcpy(low + 100, "low memory");
	compat[0] = (uint32_t)(uintptr_t)low;
	compat[1] = (uint32_t)(uintptr_t)(low + 100);
	compat[2] = 0;
	memcpy(low + 200, compat, sizeof(compat));
	call = (struct pt_call){.args = {0, (uintptr_t)(low + 200)}, .compat = 1};
	capture(&call, PT_CAPTURE_STRINGS, 100);
	CHECK(kept_count == 3 && is_chunk(0, low + 200, 12) && is_chunk(1, low, 3) && is_chunk(2, low + 100, 11));
	munmap(low, 4096);
}

static void check_bytes(void)
{
	char *memory = pages(), *end = memory + 2 * 4096;
	int length = 12;
	struct pt_call call = {.args = {0, (uintptr_t)memory, 30, 0}, .result = 20};

	capture(&call, PT_CAPTURE_BYTES, 40);
	CHECK(kept_count == 1 && is_chunk(0, memory, 40));
	capture(&call, PT_CAPTURE_SIZED, 40);
	CHECK(kept_count == 1 && is_chunk(0, memory, 30));
	capture(&call, PT_CAPTURE_SIZED, 10);
	CHECK(kept_count == 1 && is_chunk(0, memory, 10));
	capture(&call, PT_CAPTURE_RESULT, 40); /* before the call there is no result */
	CHECK(kept_count == 0);
	call.at_exit = 1;
	capture(&call, PT_CAPTURE_RESULT, 40);
	CHECK(kept_count == 1 && is_chunk(0, memory, 20));
	call.result = 0;
	capture(&call, PT_CAPTURE_RESULT, 40);
	CHECK(kept_count == 0);
	call.result = -EFAULT;
	capture(&call, PT_CAPTURE_BYTES, 40); /* a failed call: its memory means nothing */
	CHECK(kept_count == 0);
	call.result = 0;
	call.args[2] = (uintptr_t)&length;
	capture(&call, PT_CAPTURE_POINTED, 40);
	CHECK(kept_count == 2 && is_chunk(0, &length, sizeof(length)) && is_chunk(1, memory, 12));
	length = -1;
	capture(&call, PT_CAPTURE_POINTED, 40);
	CHECK(kept_count == 1);
	call.args[1] = (uintptr_t)(end - 7);
	capture(&call, PT_CAPTURE_BYTES, 40); /* up to where the mapping ends */
	CHECK(kept_count == 1 && is_chunk(0, end - 7, 7));
	munmap(memory, 2 * 4096);
}

static void check_vectors(void)
{
	char first[10] = "123456789", second[10] = "abcdefghi", name[] = "peer";
	struct iovec parts[] = {{first, 10}, {second, 10}};
	struct msghdr message = {.msg_name = name, .msg_namelen = sizeof(name), .msg_iov = parts, .msg_iovlen = 2};
	struct mmsghdr messages[20] = {0};
	struct pt_call call = {.args = {0, (uintptr_t)parts, 2}};

	capture(&call, PT_CAPTURE_IOVEC, 100);
	CHECK(kept_count == 3 && is_chunk(0, parts, sizeof(parts)) && is_chunk(1, first, 10) &&
	      is_chunk(2, second, 10));
	capture(&call, PT_CAPTURE_IOVEC, 13);
	CHECK(kept_count == 3 && is_chunk(2, second, 3));
	call.at_exit = 1;
	call.result = 4;
	capture(&call, PT_CAPTURE_IOVEC, 100);
	CHECK(kept_count == 2 && is_chunk(1, first, 4));
	call = (struct pt_call){.args = {0, (uintptr_t)&message, 0}};
	capture(&call, PT_CAPTURE_MSGHDR, 12);
	CHECK(kept_count == 5 && is_chunk(0, &message, sizeof(message)) && is_chunk(1, name, sizeof(name)));
	CHECK(is_chunk(2, parts, sizeof(parts)) && is_chunk(3, first, 10) && is_chunk(4, second, 2));
	for (int i = 0; i < 20; i++)
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = parts, .msg_iovlen = 1}, .msg_len = 3};
	call = (struct pt_call){.args = {0, (uintptr_t)messages, 20}};
	capture(&call, PT_CAPTURE_MMSGHDR, 12);
	CHECK(kept_count == 1 + 16 * 2 && is_chunk(0, messages, 16 * sizeof(*messages)) && is_chunk(2, first, 10));
	call.at_exit = 1;
	call.result = 2;
	capture(&call, PT_CAPTURE_MMSGHDR, 12);
	CHECK(kept_count == 1 + 2 * 2 && is_chunk(0, messages, 2 * sizeof(*messages)) && is_chunk(2, first, 3));
	message.msg_iov = NULL;
	memset(&message.msg_iovlen, 0xff, sizeof(message.msg_iovlen)); /* an int in musl */
	message.msg_name = NULL;
	call = (struct pt_call){.args = {0, (uintptr_t)&message, 0}};
	capture(&call, PT_CAPTURE_MSGHDR, 12);
	CHECK(kept_count == 1);
}

static void check_bound(void)
{
	static char memory[1 << 20];
	const struct pt_capture all = {.kind = PT_CAPTURE_BYTES, .at_entry = 1, .most = UINT32_MAX};
	const struct pt_capture captures[6] = {all, all, all, all, all, all};
	struct pt_call call = {.args = {(uintptr_t)memory, (uintptr_t)memory, (uintptr_t)memory}};
	struct iovec parts[1000];

	emit_begin(&tracer);
	CHECK(capture_emit(&tracer, PT_ENTER, &tracee, &call, captures));
	emit_end(&tracer, &batch);
	split(&batch.records[0], &call);
	CHECK(kept_count == 1 && batch.records[0].data_length == CAPTURE_MOST);
	for (int i = 0; i < 1000; i++)
		parts[i] = (struct iovec){memory, 1001};
	call = (struct pt_call){.args = {0, (uintptr_t)parts, UINT64_MAX}};
	capture(&call, PT_CAPTURE_IOVEC, UINT32_MAX);
	CHECK(kept[0].length == 64 * sizeof(*parts) && batch.records[0].data_length > CAPTURE_MOST - 32);
}

int main(void)
{
	tracee.tid = getpid();
	CHECK(emit_create(&tracer) == 0);
	check_strings();
	check_arrays();
	check_bytes();
	check_vectors();
	check_bound();
	emit_destroy(&tracer);
	return 0;
}
