/* SPDX-License-Identifier: GPL-2.0-or-later
 * Endless traffic that is checked, under timer signals, until SIGTERM: something to attach to again and again.
 *   verifier FILE THREADS
 * FILE is mapped: see struct shared. Who writes an odd number to "wanted" stops the traffic at a point where every call
 * has ended and is counted, but for the receives that wait for it to go on; that number in "paused" tells that it is
 * so. An even number lets it go on. Half of the answers are a child process's. Something that is not as it should be:
 * state 2, a line on stderr, status 1. At SIGTERM: "ok", and the sums. */
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "sockets.h"
#include "verifier.h"

static int threads;
static atomic_int ending;

struct lane {
	unsigned int number;
	int ends[2], handlers_own[2];
	int tid;
	atomic_ullong rested; /* at which number */
	pthread_t thread, echo;
};

static struct lane lanes[MOST];
static __thread struct lane *own;
static __thread unsigned long long own_ticks;

/* Keeps the processor busy, by floating point too, and every fourth time transfers a byte. */
static void on_tick(int number)
{
	int before = errno;
	double sum = 0;
	for (int i = 1; i < 200; i++)
		sum += 1.0 / (i * (double)i);
	expect(sum > 1.63 && sum < 1.65);
	shared->ticks++;
	if (own && own_ticks++ % 4 == 0) {
		char byte = (char)own_ticks, back = 0;
		expect(all(1, own->handlers_own[0], &byte, 1, number & 1));
		expect(all(0, own->handlers_own[1], &back, 1, number & 1));
		expect(back == byte);
	}
	errno = before;
}

/* A client's timers are its own: no signal comes while it rests. */
static void rest(const timer_t *timers)
{
	unsigned long long number = shared->wanted;
	set_timers(timers, 0);
	own->rested = number;
	while (shared->wanted == number && !ending)
		usleep(2000);
	own->rested = 0;
	set_timers(timers, 1);
}

static void *client(void *argument)
{
	char bytes[LARGEST], answer[LARGEST];
	unsigned long long place = 0;
	own = argument;
	own->tid = (int)syscall(SYS_gettid);
	timer_t timers[2] = {timer_of(own->tid, SIGRTMIN), timer_of(own->tid, SIGRTMIN + 1)};
	set_timers(timers, 1);
	for (unsigned int round = 0; !ending; round++) {
		if (shared->wanted % 2)
			rest(timers);
		size_t size = sizeof place + (round * 37 + own->number * 11) % (LARGEST - sizeof place);
		fill(bytes, size, own->number, place);
		memcpy(bytes, &size, sizeof size);
		expect(all(1, own->ends[0], bytes, size, round & 1));
		expect(all(0, own->ends[0], answer, size, round & 2));
		expect(memcmp(bytes, answer, sizeof size) == 0);
		for (size_t i = sizeof size; i < size; i++)
			expect(answer[i] == (char)(byte_at(own->number, place + i) ^ 0x55));
		place += size;
		shared->rounds++;
	}
	set_timers(timers, 0);
	return NULL;
}

static void *echo(void *argument)
{
	struct lane *lane = argument;
	char bytes[LARGEST];
	unsigned long long place = 0;
	size_t size;
	for (unsigned int round = 0; all(0, lane->ends[1], bytes, sizeof size, round & 1); round++) {
		memcpy(&size, bytes, sizeof size);
		expect(size >= sizeof size && size <= LARGEST);
		expect(size == sizeof size ||
		       all(0, lane->ends[1], bytes + sizeof size, size - sizeof size, round & 1));
		for (size_t i = sizeof size; i < size; i++) {
			expect(bytes[i] == byte_at(lane->number, place + i));
			bytes[i] ^= 0x55;
		}
		expect(all(1, lane->ends[1], bytes, size, round & 2));
		place += size;
	}
	return NULL;
}

/* Timeouts in a thread that blocks all signals: an EINTR here is a tracer's doing. */
static void *timeouts(void *none)
{
	struct epoll_event event;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	expect(epoll >= 0);
	while (!ending) {
		int ready = epoll_wait(epoll, &event, 1, 3);
		expect(ready == 0 || (ready == -1 && errno == EINTR));
		if (ready == -1)
			shared->eintr++;
	}
	return none;
}

static void every_signal(int how, int number)
{
	sigset_t set;
	if (number) {
		sigemptyset(&set);
		sigaddset(&set, number);
	} else {
		sigfillset(&set);
	}
	expect(pthread_sigmask(how, &set, NULL) == 0);
}

static int in_child(const struct lane *lane)
{
	return (lane->number / 2) % 2;
}

/* Its calls restart at a signal, always: a timer runs on while the parent rests. */
static void run_child(void)
{
	struct itimerval often = {{0, 2900}, {0, 2900}};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	counts = &shared->child;
	counts->pid = (unsigned long long)getpid();
	for (int i = 0; i < threads; i++) {
		close(lanes[i].ends[0]);
		if (in_child(&lanes[i]))
			lanes[i].echo = start_thread(echo, &lanes[i]);
		else
			close(lanes[i].ends[1]);
	}
	signal(SIGTERM, SIG_IGN);
	every_signal(SIG_BLOCK, SIGALRM); /* it is for the others */
	expect(setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (int i = 0; i < threads; i++)
		if (in_child(&lanes[i]))
			pthread_join(lanes[i].echo, NULL);
	_exit(0);
}

/* Every thread rests, and nobody is between a call and its note. */
static int rests(unsigned long long number)
{
	for (int i = 0; i < threads; i++)
		if (lanes[i].rested != number)
			return 0;
	return shared->parent.sent + shared->child.sent == shared->parent.received + shared->child.received;
}

static void control(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	shared->state = RUNNING;
	while (!ending) {
		struct timespec patience = {0, 1000000};
		unsigned long long number = shared->wanted;
		if (sigtimedwait(&set, NULL, &patience) == SIGTERM)
			ending = 1;
		else if (number % 2 && rests(number))
			shared->paused = number;
	}
}

int main(int argc, char **argv)
{
	expect(argc > 2);
	int file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	expect(file >= 0 && ftruncate(file, 4096) == 0);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	threads = atoi(argv[2]);
	expect(shared != MAP_FAILED && threads <= MOST);
	counts = &shared->parent;
	counts->pid = (unsigned long long)getpid();
	for (int i = 0; i < threads; i++) {
		lanes[i].number = (unsigned int)i;
		unix_pair(SOCK_STREAM, lanes[i].handlers_own);
		if (i % 2)
			tcp_pair(lanes[i].ends);
		else
			unix_pair(SOCK_STREAM, lanes[i].ends);
	}
	struct sigaction interrupts = {.sa_handler = on_tick},
			 restarts = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
	sigfillset(&interrupts.sa_mask); /* what they transfer must not mix */
	sigfillset(&restarts.sa_mask);
	expect(sigaction(SIGRTMIN, &interrupts, NULL) == 0 && sigaction(SIGRTMIN + 1, &restarts, NULL) == 0);
	expect(sigaction(SIGALRM, &restarts, NULL) == 0);
	pid_t child = fork();
	expect(child >= 0);
	if (child == 0)
		run_child();
	every_signal(SIG_SETMASK, 0);
	start_thread(timeouts, NULL);
	for (int i = 0; i < threads; i++) {
		if (in_child(&lanes[i]))
			close(lanes[i].ends[1]);
		else
			lanes[i].echo = start_thread(echo, &lanes[i]);
	}
	every_signal(SIG_UNBLOCK, 0);
	every_signal(SIG_BLOCK, SIGTERM);
	for (int i = 0; i < threads; i++)
		lanes[i].thread = start_thread(client, &lanes[i]);
	control();
	for (int i = 0; i < threads; i++)
		expect(pthread_join(lanes[i].thread, NULL) == 0 && shutdown(lanes[i].ends[0], SHUT_WR) == 0);
	for (int i = 0; i < threads; i++)
		expect(in_child(&lanes[i]) || pthread_join(lanes[i].echo, NULL) == 0);
	expect(reap(child) == 0);
	expect(shared->parent.sent + shared->child.sent == shared->parent.received + shared->child.received);
	expect(shared->state != BROKEN);
	shared->state = ENDED;
	puts("ok");
	tell(shared->parent.sent + shared->child.sent, shared->parent.received + shared->child.received);
	return 0;
}
