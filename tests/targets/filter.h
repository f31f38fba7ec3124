/* SPDX-License-Identifier: GPL-2.0-or-later
 * Seccomp filters, and how one process hands an fd (a filter's listener) to another. */
#ifndef FILTER_H
#define FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "tally.h"

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define SKIP_UNLESS(number, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, count)

static inline int install(unsigned int flags, struct sock_filter *code, size_t length)
{
	struct sock_fprog program = {(unsigned short)length, code};
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	int result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	must(result >= 0);
	return result;
}

/* One call gets this verdict, every other one is allowed. Returns what seccomp(2) returns. */
static inline int install_for(unsigned int number, unsigned int action, unsigned int flags)
{
	struct sock_filter code[] = {LOAD(nr), SKIP_UNLESS(number, 1), RETURN(action), RETURN(SECCOMP_RET_ALLOW)};
	return install(flags, code, sizeof code / sizeof *code);
}

static inline void pass_fd(int through, int fd)
{
	char control[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	must(counted(&tally->sent, sendmsg(through, &message, 0)) == 1);
}

static inline int take_fd(int through)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	must(counted(&tally->received, recvmsg(through, &message, MSG_CMSG_CLOEXEC)) == 1);
	int fd;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

#endif
