/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fork, become a tracee, then execute the program.
 *
 * By PTRACE_SEIZE from the parent, not PTRACE_TRACEME in the child: only a seized tracee can be left in its group-stop
 * (PTRACE_LISTEN), and without that Ctrl-Z and fg do not work. So the child waits on a pipe until it is seized. It
 * answers through shared memory, not through a pipe: a write would be a seccomp-stop of the filter that it has just
 * got.
 *
 * sd_listen_fds(3): who starts a service with open sockets (fds 3 and up) tells it so by LISTEN_PID, its pid. That is
 * ptmon's here, and the program has another one: it gets its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/kept.h"
#include "calls/filter.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "loop/wait.h"
#include "process/clone.h"
#include "process/tracee.h"
#include "sockets/files.h"
#include "sockets/sockets.h"
#include "state/options.h"

/* What the child leaves for the parent. */
struct answer {
	volatile int32_t step; /* enum pt_step that failed, or PT_STEP_NONE */
	volatile int32_t error;
	volatile int32_t filtered;
	volatile int32_t dry; /* with the first filter alone */
};

struct start {
	const char *const *argv;
	const char **envp; /* a copy: as it was given, but for ... */
	char listener[32]; /* ... this, which the child writes, where LISTEN_PID names ptmon */
	bool listens;
	struct sock_filter program[FILTER_MOST], first[FILTER_MOST];
	unsigned int length;	   /* 0: no filter */
	unsigned int first_length; /* 0: none for a program without sockets */
	bool demands_filter;
	int go[2];
	struct answer *answer;
};

static _Noreturn void fail(const struct start *start, enum pt_step step, int error)
{
	start->answer->error = error;
	start->answer->step = (int32_t)step;
	_exit(127);
}

#define LISTEN_PID "LISTEN_PID="
#define LISTEN_PIDFDID "LISTEN_PIDFDID="

/* Between fork and execve only what is safe in a signal handler may be called, for ptmon may have threads: no printf.
 */
static void write_listener(char *to, pid_t pid)
{
	char digits[16];
	unsigned int count = 0;

	to = stpcpy(to, LISTEN_PID);
	for (; pid > 0; pid /= 10)
		digits[count++] = (char)('0' + pid % 10);
	while (count > 0)
		*to++ = digits[--count];
	*to = '\0';
}

/* 0 or -ENOMEM. */
static int copy_environment(struct start *start, const char *const *envp, bool embedded)
{
	char own[sizeof(start->listener)];
	unsigned int count = 0;

	snprintf(own, sizeof(own), LISTEN_PID "%d", (int)getpid());
	for (; envp[count]; count++)
		/* Where ptmon is embedded its host is the service itself. */
		start->listens |= !embedded && strcmp(envp[count], own) == 0;
	start->envp = calloc(count + 1, sizeof(*start->envp));
	if (!start->envp)
		return -ENOMEM;
	for (unsigned int to = 0; *envp; envp++) {
		/* The inode of ptmon's pidfd; who does not find it trusts LISTEN_PID. */
		if (start->listens && strncmp(*envp, LISTEN_PIDFDID, strlen(LISTEN_PIDFDID)) == 0)
			continue;
		start->envp[to++] = start->listens && strcmp(*envp, own) == 0 ? start->listener : *envp;
	}
	return 0;
}

static void install_filter(struct start *start)
{
	const bool dry = start->first_length && !kept_sockets();
	int error = filter_install(dry ? start->first : start->program, dry ? start->first_length : start->length);

	if (error && start->demands_filter)
		fail(start, PT_STEP_SECCOMP, -error);
	start->answer->filtered = !error;
	start->answer->dry = !error && dry;
}

static _Noreturn void child(const struct pt_tracer *t, struct start *start)
{
	char byte;

	close(start->go[1]);
	/* End of file: the parent could not seize, or is gone. */
	if (read(start->go[0], &byte, 1) != 1)
		_exit(127);
	signals_restore_for_exec(t);
	if (t->options.cwd && chdir(t->options.cwd) < 0)
		fail(start, PT_STEP_DIRECTORY, errno);
	if (t->options.streams && (dup2(t->options.out, STDOUT_FILENO) < 0 || dup2(t->options.err, STDERR_FILENO) < 0))
		fail(start, PT_STEP_STREAMS, errno);
	if (start->length)
		install_filter(start);
	write_listener(start->listener, getpid());
	environ = (char **)start->envp; /* its PATH is looked through */
	execvpe(start->argv[0], (char *const *)start->argv, (char *const *)start->envp);
	fail(start, PT_STEP_EXEC, errno);
}

/* Its first stop with a filter is to come, or it is: what the child has said of it. */
static void note_filter(struct pt_tracer *t, const struct start *start)
{
	struct tracee *tracee = tracee_find(t, t->first.pid);

	if (!start->answer->filtered || t->filtered || !tracee)
		return;
	t->filtered = true;
	tracee->group->filters = 1;
	tracee->group->dry = start->answer->dry;
	if (start->answer->dry)
		return files_dry(tracee);
	free(t->second.program);
	t->second.program = NULL;
}

/* Handles the stops on the way until the program runs, or the child has given up. */
static int follow_to_exec(struct pt_tracer *t, const struct start *start, int32_t *step)
{
	while (tracee_find(t, t->first.pid) && !t->first.executed) {
		int status;
		pid_t tid = waitpid(-1, &status, WAIT_FLAGS);

		if (tid < 0 && errno != EINTR)
			return -errno;
		/* Set by the child before its execve, so before any stop that this could decide on. */
		note_filter(t, start);
		if (tid > 0)
			loop_dispatch(t, tid, status);
	}
	if (t->first.executed)
		return t->first.pid;
	*step = start->answer->step;
	return start->answer->error ? -start->answer->error : -ESRCH;
}

static int seize(struct pt_tracer *t, pid_t pid, int32_t *step)
{
	struct tracee *tracee;

	*step = PT_STEP_SEIZE;
	if (ptrace(PTRACE_SEIZE, pid, 0, options_of(t) | PTRACE_O_EXITKILL) < 0)
		return -errno;
	tracee = tracee_create(t, pid);
	if (!tracee || tracee_join(t, tracee, NULL, pid, getpid(), NULL) < 0)
		return -ENOMEM;
	tracee->state = TRACEE_RUNNING;
	tracee->fresh = true;
	tracee->group->counted = !t->only;
	t->launched = true;
	t->first.pid = pid;
	t->now = now_ns();
	if (!t->only)
		clone_emit(t, tracee);
	sockets_existed(t, pid); /* what it inherits; an error only means that nothing is known of it */
	return 0;
}

/* A signal to the process group may come before the child is the program. It waits for the program: the handler that
 * the child has inherited is its parent's, and may be anything (of a program that ptmon is a part of). */
static pid_t fork_quietly(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid != 0)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static int run_child(struct pt_tracer *t, struct start *start, int32_t *step)
{
	pid_t pid = fork_quietly();
	int error;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(t, start);
	close(start->go[0]);
	start->go[0] = -1;
	error = seize(t, pid, step);
	if (!error && write(start->go[1], "g", 1) != 1)
		error = -errno;
	if (error < 0) {
		int status = 0;

		close(start->go[1]);
		start->go[1] = -1;
		while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
			; /* it may not have become a tracee */
		/* Somebody has killed it: that it could not be seized then says nothing. */
		return WIFSIGNALED(status) ? -ESRCH : error;
	}
	return follow_to_exec(t, start, step);
}

/* 0, or -errno where the program is not to run without. */
static int build_filters(struct pt_tracer *t, struct start *start)
{
	unsigned int length;

	start->demands_filter = t->options.seccomp == PT_SECCOMP_ON;
	start->length = filter_build(start->program, t, FILTER_WHOLE);
	if (!start->length)
		return start->demands_filter ? -E2BIG : 0; /* more calls are watched than a filter can name */
	if (kept_supervisor())
		return 0;
	t->second.program = malloc(FILTER_MOST * sizeof(*t->second.program));
	length = t->second.program ? filter_build(t->second.program, t, FILTER_SECOND) : 0;
	t->second.length = length;
	start->first_length = length ? filter_build(start->first, t, FILTER_FIRST) : 0;
	return 0;
}

int pt_launch(struct pt_tracer *t, const char *const *argv, const char *const *envp, int32_t *step)
{
	struct start *start = calloc(1, sizeof(*start));
	int result;

	*step = PT_STEP_FORK;
	if (!start)
		return -ENOMEM;
	start->argv = argv;
	result = copy_environment(start, envp, t->options.embedded);
	if (result < 0) {
		free(start);
		return result;
	}
	/* Without filter where children are not followed: they would inherit it, and have no tracer. */
	if (t->options.seccomp != PT_SECCOMP_OFF && !t->options.no_follow)
		result = build_filters(t, start);
	if (result < 0) {
		*step = PT_STEP_SECCOMP;
		free(start->envp);
		free(start);
		return result;
	}
	start->answer = mmap(NULL, sizeof(*start->answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (start->answer == MAP_FAILED || pipe2(start->go, O_CLOEXEC) < 0) {
		result = -errno;
	} else {
		result = run_child(t, start, step);
		for (int i = 0; i < 2; i++)
			if (start->go[i] >= 0)
				close(start->go[i]);
	}
	if (start->answer != MAP_FAILED)
		munmap(start->answer, sizeof(*start->answer));
	free(start->envp);
	free(start);
	return result;
}
