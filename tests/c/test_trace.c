/* SPDX-License-Identifier: GPL-2.0-or-later
 * The whole core without Python: launches this very program, which transfers, forks and makes a thread, and counts;
 * with the filter and without, at stops and inside of it. */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ptmon_api.h"

#define ROUNDS 40
#define SENT (1009 + 17 * ROUNDS + 101 + 13)

static int ends[2];

static void transfer(size_t bytes)
{
	char buffer[4096] = {0};

	CHECK(write(ends[0], buffer, bytes) == (ssize_t)bytes);
	CHECK(recv(ends[1], buffer, bytes, MSG_PEEK) == (ssize_t)bytes);
	CHECK(read(ends[1], buffer, bytes) == (ssize_t)bytes);
}

static void *thread(void *context)
{
	(void)context;
	transfer(101);
	return NULL;
}

static int be_the_target(void)
{
	pthread_t id;
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	transfer(1009);
	for (int i = 0; i < ROUNDS; i++)
		transfer(17);
	CHECK(pthread_create(&id, NULL, thread, NULL) == 0 && pthread_join(id, NULL) == 0);
	pid = fork();
	if (pid == 0) {
		transfer(13);
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	return 7;
}

struct sums {
	uint64_t sent, received, peeked, fast;
	int clones, execs, exits, status;
};

static void add(struct sums *sums, const struct pt_record *record, int first)
{
	switch (record->kind) {
	case PT_TRANSFER:
		sums->fast += record->fast ? record->calls : 0;
		sums->sent += record->direction == PT_SENT ? record->bytes : 0;
		sums->received += record->direction == PT_RECEIVED ? record->bytes : 0;
		sums->peeked += record->direction == PT_PEEKED ? record->bytes : 0;
		break;
	case PT_CLONE:
		sums->clones++;
		break;
	case PT_EXEC:
		sums->execs++;
		break;
	case PT_EXIT:
		sums->exits++;
		if (record->tid == first)
			sums->status = record->value;
		break;
	}
}

static void check_count(const char *self, int seccomp, int fast)
{
	const char *const argv[] = {self, "target", NULL}, *const envp[] = {"ASAN_OPTIONS=detect_leaks=0", NULL};
	const struct pt_options options = {.seccomp = seccomp, .aggregate = 1, .fast = fast};
	struct pt_tracer *tracer;
	struct sums sums = {0};
	struct pt_batch batch;
	int32_t step;
	int first, more;

	CHECK(pt_create(&options, &tracer) == 0);
	first = pt_launch(tracer, argv, envp, &step);
	CHECK(first > 0);
	do {
		more = pt_run(tracer, 100, &batch);
		for (uint32_t i = 0; i < batch.count; i++)
			add(&sums, &batch.records[i], first);
	} while (more);
	pt_destroy(tracer);
	CHECK(sums.sent == SENT && sums.received == SENT && sums.peeked == SENT);
#ifdef __x86_64__
	/* This C library's code is known; without the filter all code must be, and that of the sanitizers is not. */
	CHECK(fast ? sums.fast > 0 || seccomp == PT_SECCOMP_OFF : sums.fast == 0);
#endif
	CHECK(sums.clones == 3 && sums.execs == 1 && sums.exits == 3);
	CHECK(WIFEXITED(sums.status) && WEXITSTATUS(sums.status) == 7);
}

static void check_failures(void)
{
	const char *const missing[] = {"/nonexistent/program", NULL}, *const envp[] = {NULL};
	const struct pt_options options = {0};
	struct pt_tracer *tracer;
	int32_t step;

	CHECK(pt_create(&options, &tracer) == 0);
	CHECK(pt_launch(tracer, missing, envp, &step) == -ENOENT && step == PT_STEP_EXEC);
	CHECK(pt_attach(tracer, 0x7ffffff0, &step) == -ESRCH && step == PT_STEP_SEIZE);
	pt_destroy(tracer);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

int main(int argc, char **argv __attribute__((unused)))
{
	if (argc > 1)
		return be_the_target();
	for (int fast = 0; fast < 60; fast += 20) {
		check_count("/proc/self/exe", PT_SECCOMP_ON, fast);
		check_count("/proc/self/exe", PT_SECCOMP_OFF, fast);
	}
	check_failures();
	return 0;
}
