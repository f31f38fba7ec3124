/* SPDX-License-Identifier: GPL-2.0-or-later
 * A held tracee is never left standing: whatever its tracer does next, it goes on. This very program is the target: it
 * asks for its parent's pid, which is held, and ends with 7 if it was told the truth. With the filter and without. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ptmon_api.h"

static const struct pt_watch watch = {.number = SYS_getppid, .emit = 1, .hold = 1};

static int be_the_target(const char *how)
{
	pid_t parent = (pid_t)atoi(how);

	if (parent == 0) { /* attached to: waits until there is a tracer */
		char byte;

		parent = getppid();
		CHECK(read(STDIN_FILENO, &byte, 1) == 1);
	}
	return (pid_t)syscall(SYS_getppid) == parent ? 7 : 8;
}

static struct pt_tracer *created(int seccomp)
{
	const struct pt_options options = {.seccomp = seccomp};
	struct pt_tracer *tracer;

	CHECK(pt_create(&options, &tracer) == 0 && pt_watch(tracer, &watch) == 0);
	return tracer;
}

static struct pt_tracer *launched(int seccomp, int *pid)
{
	const char *argv[] = {"/proc/self/exe", NULL, NULL}, *const envp[] = {"ASAN_OPTIONS=detect_leaks=0", NULL};
	struct pt_tracer *tracer = created(seccomp);
	char parent[12];
	int32_t step;

	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	argv[1] = parent;
	*pid = pt_launch(tracer, argv, envp, &step);
	CHECK(*pid > 0);
	return tracer;
}

/* Runs until somebody is held; the last record of the batch says who. */
static int await_held(struct pt_tracer *tracer, struct pt_batch *batch)
{
	for (;;) {
		int more = pt_run(tracer, 100, batch);

		if (batch->count && batch->records[batch->count - 1].kind == PT_HELD)
			return batch->records[batch->count - 1].tid;
		CHECK(more);
	}
}

static unsigned int count(const struct pt_batch *batch, uint32_t kind)
{
	unsigned int found = 0;

	for (uint32_t i = 0; i < batch->count; i++)
		found += batch->records[i].kind == kind;
	return found;
}

/* To the tracee's end; returns its wait status. */
static int finish(struct pt_tracer *tracer, int pid, unsigned int told)
{
	struct pt_batch batch;
	int status = -1, more;

	do {
		more = pt_run(tracer, 100, &batch);
		for (uint32_t i = 0; i < batch.count; i++)
			if (batch.records[i].kind == PT_EXIT && batch.records[i].tid == pid)
				status = batch.records[i].value;
		told -= count(&batch, PT_ENTER) + count(&batch, PT_RETURN) + count(&batch, PT_HELD);
	} while (more);
	CHECK(told == 0);
	return status;
}

static void check_answered(int seccomp)
{
	struct pt_batch batch;
	int pid;
	struct pt_tracer *tracer = launched(seccomp, &pid);

	CHECK(await_held(tracer, &batch) == pid && count(&batch, PT_ENTER) == 1 && count(&batch, PT_RETURN) == 0);
	CHECK(pt_run(tracer, 10, &batch) == 1 && batch.count == 0); /* it stands */
	CHECK(pt_answer(tracer, pid + 1, 1, 0) == -ESRCH);
	CHECK(pt_answer(tracer, pid, 1, 0) == 0 && pt_answer(tracer, pid, 1, 0) == -ESRCH);
	CHECK(await_held(tracer, &batch) == pid && count(&batch, PT_RETURN) == 1);
	CHECK(pt_answer(tracer, pid, 0, -EPERM) == 0); /* the call has been made: nothing is changed any more */
	CHECK(WEXITSTATUS(finish(tracer, pid, 0)) == 7);
	pt_destroy(tracer);
}

static void check_not_made(int seccomp)
{
	struct pt_batch batch;
	int pid;
	struct pt_tracer *tracer = launched(seccomp, &pid);

	await_held(tracer, &batch);
	CHECK(pt_answer(tracer, pid, 0, 1) == 0);
	await_held(tracer, &batch);
	CHECK(pt_answer(tracer, pid, 1, 0) == 0);
	CHECK(WEXITSTATUS(finish(tracer, pid, 0)) == 8);
	pt_destroy(tracer);
}

static void check_stop_counting(int seccomp)
{
	struct pt_batch batch;
	int pid;
	struct pt_tracer *tracer = launched(seccomp, &pid);

	await_held(tracer, &batch);
	pt_stop_counting(tracer);
	CHECK(pt_answer(tracer, pid, 0, 1) == -ESRCH);
	CHECK(WEXITSTATUS(finish(tracer, pid, 0)) == 7); /* and nothing is told any more */
	pt_destroy(tracer);
}

static void check_destroy(int seccomp, int at_exit)
{
	struct pt_batch batch;
	int pid;
	struct pt_tracer *tracer = launched(seccomp, &pid);

	await_held(tracer, &batch);
	if (at_exit) {
		CHECK(pt_answer(tracer, pid, 1, 0) == 0);
		await_held(tracer, &batch);
	}
	pt_destroy(tracer); /* returns when the tracee has ended */
	CHECK(kill(pid, 0) == -1 && errno == ESRCH);
}

static void check_killed(int seccomp)
{
	struct pt_batch batch;
	int pid;
	struct pt_tracer *tracer = launched(seccomp, &pid);

	await_held(tracer, &batch);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(finish(tracer, pid, 0) == SIGKILL);
	CHECK(pt_answer(tracer, pid, 1, 0) == -ESRCH);
	pt_destroy(tracer);
}

/* Attached to, held, let go by pt_detach() or by pt_destroy(): it runs on by itself. */
static void check_detach(int destroy)
{
	struct pt_tracer *tracer = created(PT_SECCOMP_AUTO);
	struct pt_batch batch;
	int32_t step;
	int ends[2], status;
	pid_t pid;

	CHECK(pipe(ends) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(ends[0], STDIN_FILENO);
		_exit(be_the_target("0"));
	}
	CHECK(pt_attach(tracer, pid, &step) == 1);
	CHECK(write(ends[1], "g", 1) == 1);
	CHECK(await_held(tracer, &batch) == pid);
	if (!destroy)
		CHECK(pt_detach(tracer, &batch) == 0 && batch.tracees == 0);
	pt_destroy(tracer);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
	close(ends[0]);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return be_the_target(argv[1]);
	for (int seccomp = PT_SECCOMP_ON; seccomp <= PT_SECCOMP_OFF; seccomp++) {
		check_answered(seccomp);
		check_not_made(seccomp);
		check_stop_counting(seccomp);
		check_destroy(seccomp, 0);
		check_destroy(seccomp, 1);
		check_killed(seccomp);
	}
	check_detach(0);
	check_detach(1);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	return 0;
}
