/* SPDX-License-Identifier: GPL-2.0-or-later
 * Threads that are cancelled in the middle of calls: handlers and destructors must run, and no byte is lost.
 *   cancelled deferred|async ROUNDS [wait]       while blocked in recv or read
 *   cancelled tight|tight_async ROUNDS [wait]    anywhere in a loop that sends and receives
 *   cancelled disabled ROUNDS [wait]             while they may not be cancelled: they finish what they do
 * Build with -fexceptions. Destructors (attribute cleanup) run where libc unwinds the stack: glibc does, musl doesn't.
 */
#include <sched.h>

#include "begin.h"

enum { WORKERS = 3, CHATS = 40, PIECE = 113 };

static atomic_int handled, destroyed, cancelled;
static int type = PTHREAD_CANCEL_DEFERRED;

struct worker {
	int in, out;
	atomic_int tid, begun;
};

static void handler(void *none)
{
	(void)none;
	handled++;
}

static void destroy(int *none)
{
	(void)none;
	destroyed++;
}

static void own_chats(void)
{
	int state;
	must(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state) == 0);
	chat(PIECE, CHATS);
	must(pthread_setcancelstate(state, NULL) == 0);
}

static void block(struct worker *worker)
{
	char bytes[8];
	own_chats();
	must(pthread_setcanceltype(type, NULL) == 0);
	worker->begun = 1;
	if (worker->tid % 2)
		recv(worker->in, bytes, sizeof bytes, 0);
	else
		must(read(worker->in, bytes, sizeof bytes) == -1);
	must(!"the call returned");
}

/* Not counted: what the thread moved before its end is told by those at the other ends. */
static void loop(struct worker *worker)
{
	char bytes[PIECE];
	unsigned long long place = 0;
	must(pthread_setcanceltype(type, NULL) == 0);
	worker->begun = 1;
	for (;; place += PIECE) {
		fill(bytes, PIECE, 1, place);
		if (place / PIECE % 2)
			must(send(worker->out, bytes, PIECE, 0) == PIECE);
		else
			must(write(worker->out, bytes, PIECE) == PIECE);
		must(recv(worker->in, bytes, PIECE, MSG_WAITALL) == PIECE);
		check(bytes, PIECE, 2, place);
	}
}

static void busy(struct worker *worker)
{
	must(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
	worker->begun = 1;
	chat(PIECE, 10 * CHATS);
	must(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL) == 0);
	for (;;)
		pthread_testcancel();
}

static void (*job)(struct worker *worker);

static void inner(struct worker *worker)
{
	int guard __attribute__((cleanup(destroy))) = 0;
	job(worker);
	must(guard);
}

static void *run(void *argument)
{
	struct worker *worker = argument;
	worker->tid = (int)syscall(SYS_gettid);
	pthread_cleanup_push(handler, NULL);
	inner(worker);
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel(pthread_t thread)
{
	void *result;
	must(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
	cancelled++;
}

static void one_round(int blocked)
{
	struct worker workers[WORKERS] = {0};
	pthread_t threads[WORKERS];
	int pairs[WORKERS][2];
	for (int i = 0; i < WORKERS; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0);
		workers[i].in = pairs[i][0];
		threads[i] = start_thread(run, &workers[i]);
	}
	for (int i = 0; i < WORKERS; i++) {
		while (!workers[i].begun || (blocked && thread_state(getpid(), workers[i].tid) != 'S'))
			usleep(200);
		cancel(threads[i]);
		must(close(pairs[i][0]) == 0 && close(pairs[i][1]) == 0);
	}
}

static atomic_int stop_feeding;
static atomic_ullong fed, drained;

static void *feed(void *end)
{
	char bytes[PIECE];
	for (; !stop_feeding; fed += PIECE) {
		fill(bytes, PIECE, 2, fed);
		must(send(*(int *)end, bytes, PIECE, 0) == PIECE);
	}
	must(shutdown(*(int *)end, SHUT_WR) == 0);
	return NULL;
}

static unsigned long long drain(int end, unsigned int stream, unsigned long long place)
{
	char bytes[4 * PIECE];
	unsigned long long start = place;
	ssize_t size;
	while ((size = recv(end, bytes, sizeof bytes, 0)) > 0) {
		check(bytes, (size_t)size, stream, place);
		place += (unsigned long long)size;
		drained += (unsigned long long)size;
	}
	must(size == 0);
	return place - start;
}

static void *drain_all(void *end)
{
	drain(*(int *)end, 1, 0);
	return NULL;
}

/* How much the thread received is known from what is left: all was sent by feed, and its bytes tell their place. */
static unsigned long long left_in(int end)
{
	char bytes[4 * PIECE];
	unsigned long long left = 0;
	ssize_t size;
	while ((size = recv(end, bytes, sizeof bytes, 0)) > 0)
		left += (unsigned long long)size;
	must(size == 0);
	return left;
}

static void tight_round(int round)
{
	struct worker worker = {0};
	int forth[2], back[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, forth) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, back) == 0);
	stop_feeding = 0;
	fed = drained = 0;
	worker.out = forth[0];
	worker.in = back[1];
	pthread_t feeder = start_thread(feed, &back[0]), drainer = start_thread(drain_all, &forth[1]);
	pthread_t thread = start_thread(run, &worker);
	unsigned long long goal = (unsigned long long)(round * 7 % 60) * PIECE;
	while (!worker.begun || drained < goal)
		sched_yield();
	cancel(thread);
	must(shutdown(forth[0], SHUT_WR) == 0);
	stop_feeding = 1;
	unsigned long long left = left_in(back[1]);
	must(pthread_join(feeder, NULL) == 0 && pthread_join(drainer, NULL) == 0);
	must(left <= fed);
	tally->sent += drained + fed;
	tally->received += drained + fed; /* of these the thread itself: fed - left */
	must(close(forth[0]) == 0 && close(forth[1]) == 0 && close(back[0]) == 0 && close(back[1]) == 0);
}

int main(int argc, char **argv)
{
	must(argc > 2);
	const char *mode = argv[1];
	int rounds = atoi(argv[2]), tight = strncmp(mode, "tight", 5) == 0;
	tally_open();
	begin(argc, argv);
	if (strstr(mode, "async"))
		type = PTHREAD_CANCEL_ASYNCHRONOUS;
	job = tight ? loop : strcmp(mode, "disabled") == 0 ? busy : block;
	for (int round = 0; round < rounds; round++) {
		if (tight)
			tight_round(round);
		else
			one_round(job == block);
	}
	printf("cancelled: %d\nhandlers ran: %d\ndestructors ran: %d\n", cancelled, handled, destroyed);
#ifdef __GLIBC__
	must(destroyed == cancelled);
#endif
	must(handled == cancelled);
	tally_tell();
	return 0;
}
