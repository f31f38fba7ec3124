/* SPDX-License-Identifier: GPL-2.0-or-later
 * A thread that connects in a stub, led out at each of its instructions in turn: its call is made once, with its
 * registers, and is either told by its entry, or stops. The child is the tracee. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fast/image/attempter.h"
#include "fast/image/emit_code.h"
#include "fast/image/layout.h"
#include "fast/image/twin.h"
#include "machine/memory.h"
#include "machine/registers.h"

#define GENERATION (4 * FAST_STEP)
#define MARK 0x0123456789abcde0

/* syscall; cmp rax, -4095; int3 */
static const uint8_t code[] = {0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0xcc};

static struct image image;
static struct sockaddr_in address;

static void *at(uint64_t place)
{
	return (void *)(uintptr_t)place;
}

static void map(uint64_t begin, size_t size, int protection)
{
	CHECK(mmap(at(begin), size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at(begin));
}

static const struct stub *stub_of_connect(void)
{
	const struct stub *stub = stub_table;

	while (stub->number != SYS_connect)
		stub++;
	return stub;
}

/* What a process has that was patched: this one, and so its children. */
static void prepare(void)
{
	uint8_t *program = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct fast_site *site = calloc(1, sizeof(*site));

	CHECK(program != MAP_FAILED && site);
	memcpy(program, code, sizeof(code));
	map(FAST_DATA, FAST_DATA_SIZE, PROT_READ | PROT_WRITE);
	map(FAST_CODE, FAST_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
	*site = (struct fast_site){
		.call = (uint64_t)(uintptr_t)program,
		.begin = (uint64_t)(uintptr_t)program,
		.after = 6,
		.stub = stub_of_connect(),
		.stub_at = FAST_STUBS_FIRST,
	};
	memcpy(site->original, code, 8);
	image = (struct image){.reader = getpid(), .sites = site, .site_count = 1};
	image.stubs_end = FAST_STUBS_FIRST + ((site->stub->size + 15) & ~15u);
	CHECK(emit_code_stubs(&image, getpid(), 0) == 0);
	memcpy(at(FAST_ATTEMPT), attempt_begin, (size_t)(attempt_end - attempt_begin));
}

static int listening(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t length = sizeof(address);

	address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0 && listen(fd, 16) == 0);
	return fd;
}

static uint32_t *slot(int fd, unsigned int word)
{
	return at(FAST_SLOTS + ((uint64_t)(unsigned int)fd << FAST_SLOT_BITS) + word);
}

static uint32_t peek(uint64_t place)
{
	uint32_t value;

	CHECK(image_read(&image, place, &value, sizeof(value)) == 0);
	return value;
}

static uint32_t peek_slot(int fd, unsigned int word)
{
	return peek((uint64_t)(uintptr_t)slot(fd, word));
}

static void set(struct registers *regs, int fd)
{
	regs->user.rax = SYS_connect;
	regs->user.rdi = (unsigned int)fd;
	regs->user.rsi = (uint64_t)(uintptr_t)&address;
	regs->user.rdx = sizeof(address);
	regs->user.r10 = MARK + 1;
	regs->user.r8 = MARK + 2;
	regs->user.r9 = MARK + 3;
	regs->user.rbx = MARK + 4;
	regs->user.rip = FAST_STUBS_FIRST + FAST_ROOM_BEFORE;
	regs->user.orig_rax = (uint64_t)-1;
}

static bool kept(const struct registers *regs, const struct registers *begun)
{
	return regs->user.rdi == begun->user.rdi && regs->user.rsi == begun->user.rsi &&
	       regs->user.rdx == begun->user.rdx && regs->user.r10 == begun->user.r10 &&
	       regs->user.r8 == begun->user.r8 && regs->user.r9 == begun->user.r9 &&
	       regs->user.rbx == begun->user.rbx && regs->user.rsp == begun->user.rsp &&
	       regs->user.rbp == begun->user.rbp && regs->user.r12 == begun->user.r12;
}

static pid_t begin(int fd, struct registers *begun)
{
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(1);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
	image.reader = child;
	CHECK(registers_read(child, begun) == 0);
	set(begun, fd);
	CHECK(registers_write(child, begun) == 0);
	return child;
}

/* True: it is where the program goes on. */
static bool step(pid_t child, int request, struct registers *regs)
{
	int status;

	CHECK(ptrace(request, child, 0, 0) == 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP && registers_read(child, regs) == 0);
	return regs->user.rip == image.sites->call + 8 || regs->user.rip == image.sites->call + 9;
}

static unsigned int count_states(uint32_t state)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < FAST_ATTEMPT_COUNT; i++)
		count += peek(FAST_ATTEMPT_STATES + i * 4) == state;
	return count;
}

/* It has its registers, and there is no trace of the attempt. */
static void check_before(const struct registers *regs, const struct registers *begun, int fd)
{
	const struct stub *stub = image.sites->stub;

	CHECK(regs->user.rip == FAST_STUBS_FIRST + stub->bodies->ready && registers_carry(regs));
	CHECK(regs->user.rax == SYS_connect && kept(regs, begun));
	CHECK(count_states(FAST_ATTEMPT_FREE) == FAST_ATTEMPT_COUNT);
	CHECK(peek_slot(fd, FAST_SLOT_STATE) == (GENERATION ^ FAST_MADE));
}

static void check_behind(const struct registers *regs, const struct registers *begun, int64_t result)
{
	const struct stub *stub = image.sites->stub;

	CHECK(kept(regs, begun) && registers_result(regs) == result && !registers_carry(regs));
	if (regs->user.rip == FAST_STUBS_FIRST + stub->bodies->done)
		CHECK(count_states(FAST_ATTEMPT_TAKEN) == 1);
	else
		CHECK(regs->user.rip == FAST_STUBS_FIRST + stub->bodies->asked &&
		      count_states(FAST_ATTEMPT_WHOLE) == 1);
}

/* It has connected: through its twin, or by its entry. */
static void check_end(const struct registers *regs, const struct registers *begun, int fd, int64_t result, bool by_twin)
{
	const uint64_t entry = FAST_ATTEMPTS;

	CHECK(registers_result(regs) == result && kept(regs, begun) && peek_slot(fd, FAST_SLOT_UNDER_WAY) == 0);
	CHECK(count_states(FAST_ATTEMPT_WHOLE) == !by_twin && count_states(FAST_ATTEMPT_TAKEN) == 0);
	if (by_twin) {
		CHECK(peek_slot(fd, FAST_SLOT_STATE) == (GENERATION ^ FAST_MADE));
		return;
	}
	CHECK(peek_slot(fd, FAST_SLOT_LEARNT) == (GENERATION | FAST_USED));
	CHECK((peek_slot(fd, FAST_SLOT_STATE) & ~(1u << FAST_CONNECTED_BIT)) == (GENERATION ^ FAST_SOCKET));
	CHECK(peek(entry + ATTEMPT_OUTCOME) == FAST_OUTCOME_PASSES && peek(entry + ATTEMPT_RESULT) == (uint32_t)result);
	CHECK(peek(entry + ATTEMPT_PEER + 4) == address.sin_addr.s_addr);
	CHECK(peek(entry + ATTEMPT_ASKED + 4) == address.sin_addr.s_addr);
}

/* Led out after so many instructions. False: it is at its end by then. */
static bool check_at(int listener, int flags, unsigned int steps)
{
	const int64_t result = flags & SOCK_NONBLOCK ? -EINPROGRESS : 0;
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0), other;
	struct registers begun, regs;
	bool by_twin = false, ended = false, led;
	uint64_t where;
	pid_t child;

	*slot(fd, FAST_SLOT_GENERATION) = GENERATION;
	*slot(fd, FAST_SLOT_STATE) = GENERATION ^ FAST_MADE;
	child = begin(fd, &begun);
	regs = begun;
	for (unsigned int i = 0; i < steps && !ended; i++)
		ended = step(child, PTRACE_SINGLESTEP, &regs);
	where = regs.user.rip;
	led = !ended && attempter_leaves(&image, child, &regs);
	CHECK(ended || led == (where >= FAST_ATTEMPT && where < FAST_STUBS_FIRST));
	if (led) {
		by_twin = registers_carry(&regs);
		if (by_twin)
			check_before(&regs, &begun, fd);
		else
			check_behind(&regs, &begun, result);
		CHECK(registers_write(child, &regs) == 0);
	}
	if (!ended)
		CHECK(step(child, PTRACE_CONT, &regs));
	check_end(&regs, &begun, fd, result, by_twin);
	other = accept(listener, NULL, NULL);
	CHECK(other >= 0 && close(other) == 0 && close(fd) == 0);
	kill(child, SIGKILL);
	CHECK(waitpid(child, NULL, 0) == child);
	return !ended;
}

/* What the stub leaves to the stops. */
static void check_refused(const void *name, uint64_t length, uint16_t family)
{
	const struct sockaddr_in was = address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct registers begun, regs;
	pid_t child;

	address.sin_family = family;
	*slot(fd, FAST_SLOT_GENERATION) = GENERATION;
	*slot(fd, FAST_SLOT_STATE) = GENERATION ^ FAST_MADE;
	child = begin(fd, &begun);
	begun.user.rsi = (uint64_t)(uintptr_t)name;
	begun.user.rdx = length;
	CHECK(registers_write(child, &begun) == 0);
	do
		CHECK(!step(child, PTRACE_SINGLESTEP, &regs));
	while (regs.user.rip != image_twin(&image, image.sites) + TWIN_CALL);
	CHECK(kept(&regs, &begun) && regs.user.rax == SYS_connect && peek_slot(fd, FAST_SLOT_UNDER_WAY) == 0);
	CHECK(count_states(FAST_ATTEMPT_FREE) == FAST_ATTEMPT_COUNT);
	CHECK(peek_slot(fd, FAST_SLOT_STATE) == (GENERATION ^ FAST_MADE));
	kill(child, SIGKILL);
	CHECK(waitpid(child, NULL, 0) == child && close(fd) == 0);
	address = was;
}

int main(void)
{
	static const int flags[] = {0, SOCK_NONBLOCK};
	int listener;

	prepare();
	listener = listening();
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int steps = 0;

		while (check_at(listener, flags[i], steps))
			steps++;
		CHECK(steps > 200);
	}
	check_refused((void *)8, sizeof(address), AF_INET);
	check_refused(&address, 15, AF_INET);
	check_refused(&address, 129, AF_INET);
	check_refused(&address, UINT64_MAX, AF_INET);
	check_refused(&address, sizeof(address), AF_UNSPEC);
	check_refused(&address, sizeof(address), AF_UNIX);
	return 0;
}
