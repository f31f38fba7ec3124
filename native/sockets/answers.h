/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a process tells of an fd that can't be looked at: the errors of calls that fail in any case. See answers.c. */
#ifndef PT_ANSWERS_H
#define PT_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

enum question_kind {
	QUESTION_TCP,
	QUESTION_SMC,
	QUESTION_IP,
	QUESTION_IPV6,
	QUESTION_UDP,
	QUESTION_MPTCP,
	QUESTION_SHUTDOWN,
	QUESTION_QUEUE,
	QUESTION_NETLINK,
	QUESTION_PACKET,
	QUESTION_VSOCK,
	QUESTION_COUNT
};

struct answers {
	int error[QUESTION_COUNT]; /* errno; 0: not asked yet, -1: something that no errno stands for */
	bool alone;		   /* no other thread can put something else in the fd's place between two of them */
};

/* What they come to. */
enum finding {
	FOUND_NOTHING_YET, /* *next is to be asked */
	FOUND_SOCKET,	   /* *family (-1: unknown), *type and *protocol (0: unknown) are what it is */
	FOUND_OTHER,	   /* open, and no socket */
	FOUND_CLOSED,	   /* no fd has this number, or one that nothing can be read from or written to (O_PATH) */
	FOUND_UNCERTAIN	   /* nothing can be said */
};

struct found_socket {
	int family;
	int type;
	int protocol;
};

enum finding answers_read(const struct answers *answers, enum question_kind *next, struct found_socket *socket);
/* The call that asks this of an fd, in the native or the 32-bit ABI. */
struct question_call {
	int64_t number;
	uint64_t args[6];
};
void answers_call(enum question_kind kind, int fd, bool compat, struct question_call *call);

#endif
