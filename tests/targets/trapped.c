/* SPDX-License-Identifier: GPL-2.0-or-later
 * A seccomp filter of its own traps sendto (SECCOMP_RET_TRAP); the SIGSYS handler stands in for the call. While the
 * signal is delivered, the return register holds the number of the call (44 on x86_64): no bytes. */
#include "sockets.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

static void on_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;

	(void)signal;
	(void)info;
#if defined(__x86_64__)
	registers->uc_mcontext.gregs[REG_RAX] = 13;
#elif defined(__aarch64__)
	registers->uc_mcontext.regs[0] = 13;
#endif
}

int main(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_sendto, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof program / sizeof program[0], program};
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	char bytes[101] = {0};
	int pair[2];

	tcp_pair(pair);
	sent(send(pair[0], bytes, 97, 0));
	must(sigaction(SIGSYS, &action, NULL) == 0);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0);
	for (int i = 0; i < 3; i++)
		must(send(pair[0], bytes, 101, 0) == 13);
	sent(write(pair[0], bytes, 7));
	received(recv(pair[1], bytes, 97 + 7, MSG_WAITALL));
	tell(all_sent, all_received);
	return 0;
}
