/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: reach [wait] MODE, in a network namespace of its own
 * out: tries to reach addresses that no network has, each in every way that names an address; a line tells each errno.
 *      Before and after, it reaches itself over the loopback. wait: when it has read a byte.
 * mixed: one sendmmsg to the loopback and to such an address. */
#include "sockets.h"

#include <errno.h>
#include <net/if.h>
#include <sys/syscall.h>

struct target {
	struct sockaddr_storage address;
	socklen_t length;
};

static struct target target_of(const char *text)
{
	struct target target = {0};
	struct sockaddr_in *four = (void *)&target.address;
	struct sockaddr_in6 *six = (void *)&target.address;

	if (strchr(text, ':')) {
		*six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(9)};
		must(inet_pton(AF_INET6, text, &six->sin6_addr) == 1);
		target.length = sizeof *six;
	} else {
		*four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(9)};
		must(inet_pton(AF_INET, text, &four->sin_addr) == 1);
		target.length = sizeof *four;
	}
	return target;
}

static void told(const char *how, const char *whom, ssize_t result)
{
	printf("%s %s: %s\n", how, whom, result < 0 ? strerrorname_np(errno) : "reached");
	fflush(stdout);
}

static int socket_to(const struct target *target, int type)
{
	int fd = socket(target->address.ss_family, type, 0);

	must(fd >= 0);
	return fd;
}

static struct msghdr message_to(struct target *target, struct iovec *vector)
{
	return (struct msghdr){
		.msg_name = &target->address, .msg_namelen = target->length, .msg_iov = vector, .msg_iovlen = 1};
}

static void by_socketcall(const char *whom, struct target *target, int tcp, int udp)
{
#ifdef SYS_socketcall /* SYS_CONNECT 3, SYS_SENDTO 11, SYS_SENDMSG 16, SYS_SENDMMSG 20: linux/net.h */
	struct iovec vector = {"xyz", 3};
	struct mmsghdr messages[1] = {{.msg_hdr = message_to(target, &vector)}};
	long connect_to[] = {tcp, (long)&target->address, (long)target->length};
	long send_to[] = {udp, (long)"xyz", 3, 0, (long)&target->address, (long)target->length};
	long send_message[] = {udp, (long)&messages[0].msg_hdr, 0};
	long send_messages[] = {udp, (long)messages, 1, 0};

	told("socketcall connect", whom, syscall(SYS_socketcall, 3, connect_to));
	told("socketcall sendto", whom, syscall(SYS_socketcall, 11, send_to));
	told("socketcall sendmsg", whom, syscall(SYS_socketcall, 16, send_message));
	told("socketcall sendmmsg", whom, syscall(SYS_socketcall, 20, send_messages));
#else
	(void)whom, (void)target, (void)tcp, (void)udp;
#endif
}

static void try_all(const char *whom)
{
	struct target target = target_of(whom);
	const struct sockaddr *address = (const void *)&target.address;
	struct iovec vector = {"xyz", 3};
	struct msghdr message = message_to(&target, &vector);
	struct mmsghdr messages[1] = {{.msg_hdr = message}};
	int tcp = socket_to(&target, SOCK_STREAM), udp = socket_to(&target, SOCK_DGRAM);

	told("tcp connect", whom, connect(tcp, address, target.length));
	told("udp connect", whom, connect(udp, address, target.length));
	told("sendto", whom, sendto(udp, "xyz", 3, 0, address, target.length));
	told("sendmsg", whom, sendmsg(udp, &message, 0));
	told("sendmmsg", whom, sendmmsg(udp, messages, 1, 0));
	told("fast open", whom, sendto(tcp, "xyz", 3, MSG_FASTOPEN, address, target.length));
	by_socketcall(whom, &target, tcp, udp);
	if (target.address.ss_family == AF_INET) {
		target.address.ss_family = AF_UNSPEC; /* a datagram goes where AF_INET would send it */
		told("sendto of no family", whom, sendto(udp, "xyz", 3, 0, address, target.length));
	}
	close(tcp);
	close(udp);
}

/* An interface of a new namespace is down. */
static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	must(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	request.ifr_flags |= IFF_UP;
	must(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	close(fd);
}

/* Five bytes by TCP, three by UDP. */
static void reach_myself(void)
{
	int pair[2], udp[2];
	char bytes[8];

	tcp_pair(pair);
	sent(send(pair[0], "12345", 5, 0));
	received(recv(pair[1], bytes, 5, MSG_WAITALL));
	udp[0] = bound(SOCK_DGRAM), udp[1] = bound(SOCK_DGRAM);
	struct sockaddr_in there = name_of(udp[1]);
	sent(sendto(udp[0], "xyz", 3, 0, (struct sockaddr *)&there, sizeof there));
	received(recv(udp[1], bytes, sizeof bytes, 0));
	for (int i = 0; i < 2; i++)
		close(pair[i]), close(udp[i]);
}

static void out_mode(void)
{
	reach_myself();
	try_all("192.0.2.1");
	try_all("10.1.2.3");
	try_all("::ffff:192.0.2.1");
	try_all("::ffff:10.1.2.3");
	try_all("2001:db8::1");
	reach_myself();
}

static void mixed_mode(void)
{
	struct iovec vector = {"xyz", 3};
	int from = bound(SOCK_DGRAM), to = bound(SOCK_DGRAM);
	struct sockaddr_in there = name_of(to);
	struct target away = target_of("192.0.2.1");
	struct mmsghdr messages[2] = {{.msg_hdr = message_to(&away, &vector)}, {.msg_hdr = message_to(&away, &vector)}};
	char bytes[8];

	messages[0].msg_hdr.msg_name = &there;
	told("sendmmsg", "the loopback and 192.0.2.1", sendmmsg(from, messages, 2, 0));
	told("and what came", "over the loopback", recv(to, bytes, sizeof bytes, MSG_DONTWAIT));
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {{"out", out_mode}, {"mixed", mixed_mode}, {NULL, NULL}};
	char byte;

	loopback_up();
	if (argc > 2 && strcmp(argv[1], "wait") == 0) {
		must(puts("ready") >= 0 && fflush(stdout) == 0 && read(0, &byte, 1) == 1);
		argv++;
	}
	return run_mode(modes, argv[1]);
}
