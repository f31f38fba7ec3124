/* SPDX-License-Identifier: GPL-2.0-or-later
 * What calls have moved is read from a memory that other threads of the tracee may have changed since: what it says of
 * lengths is not believed. The "tracee" is this very process. */
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "calls/content.h"
#include "calls/outcome.h"
#include "check.h"
#include "process/tracee.h"
#include "records/emit.h"
#include "sockets/files.h"

#define SECONDS 20 /* a test that takes longer is ended by SIGALRM */
#define ZEROS (1ull << 34)

static struct pt_tracer *t;
static struct tracee *tracee;
static int ends[2];

static void begin(void)
{
	const struct pt_options options = {.content = 4096};

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0 && pt_create(&options, &t) == 0);
	t->counting = true;
	tracee = tracee_create(t, getpid());
	CHECK(tracee && tracee_join(t, tracee, NULL, getpid(), getppid(), NULL) == 0);
	tracee->group->counted = true;
	emit_begin(t);
}

/* The call has returned result. How many records tell of it, of how many bytes; and the data of the last one. */
static unsigned int told(uint64_t number, const void *argument, int64_t result, uint64_t *bytes, const uint8_t **data,
			 uint32_t *length)
{
	struct outcome outcome = {.fd = ends[0], .direction = PT_SENT};
	unsigned int count = 0;

	CHECK(files_lookup(t, tracee, ends[0], &outcome.socket) == 1);
	tracee->call = (struct call){.entry = syscall_find(ABI_NATIVE, number),
				     .number = number,
				     .args = {(uint64_t)ends[0], (uint64_t)(uintptr_t)argument}};
	outcome.entry = tracee->call.entry;
	CHECK(outcome.entry);
	emit_continue(t);
	content_tell(t, tracee, &outcome, result);
	*bytes = 0;
	for (uint32_t i = 0; i < t->out.count; i++) {
		if (t->out.records[i].kind != PT_CONTENT)
			continue;
		count++;
		*bytes += t->out.records[i].bytes;
		*data = t->out.data + t->out.records[i].data_offset;
		*length = t->out.records[i].data_length;
	}
	t->out.count = 0;
	return count;
}

static void check_message(void)
{
	char words[] = "to be, or not";
	struct iovec parts[2] = {{words, 5}, {words + 5, sizeof(words) - 6}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	const uint8_t *data;
	uint32_t length = 0;
	uint64_t bytes;

	CHECK(told(SYS_sendmsg, &message, sizeof(words) - 1, &bytes, &data, &length) == 1);
	CHECK(bytes == sizeof(words) - 1 && length == sizeof(words) - 1 && memcmp(data, words, length) == 0);
}

/* As many parts of no length as there are addresses. */
static void check_endless_vector(void)
{
	void *zeros = mmap(NULL, ZEROS, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct msghdr message = {.msg_iov = zeros, .msg_iovlen = ZEROS / sizeof(struct iovec)};
	const uint8_t *data;
	uint32_t length = 0;
	uint64_t bytes;

	CHECK(zeros != MAP_FAILED);
	CHECK(told(SYS_sendmsg, &message, 7, &bytes, &data, &length) == 1 && bytes == 7 && length == 0);
	CHECK(munmap(zeros, ZEROS) == 0);
}

/* Each of 100 messages is said to have been of 4 GiB, which would become as many packets of a capture. */
static void check_endless_messages(void)
{
	static struct mmsghdr messages[100];
	const uint8_t *data;
	uint32_t length = 0;
	uint64_t bytes;

	for (unsigned int i = 0; i < 100; i++)
		messages[i].msg_len = UINT32_MAX;
	CHECK(told(SYS_sendmmsg, messages, 100, &bytes, &data, &length) == 100 && bytes <= INT_MAX && length == 0);
}

int main(void)
{
	begin();
	alarm(SECONDS);
	check_message();
	check_endless_vector();
	check_endless_messages();
	pt_destroy(t);
	return 0;
}
