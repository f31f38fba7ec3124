/* SPDX-License-Identifier: GPL-2.0-or-later
 * In a network namespace of its own, lo is given addresses of every scope, and a datagram goes to each of them, so
 * that nothing leaves the machine. The length of a datagram says which: see the table. */
#include "sockets.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>

static const struct {
	const char *address;
	size_t length;
} datagrams[] = {
	{"127.0.0.1", 101},   {"::1", 103},						   /* loopback */
	{"10.1.2.3", 211},    {"172.16.1.2", 223}, {"192.168.1.2", 227},		   /* private */
	{"169.254.1.2", 229}, {"fd00::7", 233},	   {"8.8.8.8", 307},	 {"2600::1", 311}, /* global */
};

struct in6_ifreq { /* linux/ipv6.h, which can't be included beside netinet/in.h */
	struct in6_addr address;
	unsigned int prefix_length;
	int index;
};

static int ipv6(const char *text)
{
	return strchr(text, ':') != NULL;
}

static void add_to_lo(const char *text)
{
	struct ifreq request = {.ifr_name = "lo"};
	struct sockaddr_in *name = (struct sockaddr_in *)(void *)&request.ifr_addr;
	struct in6_ifreq request6 = {.prefix_length = 128, .index = (int)if_nametoindex("lo")};
	int fd = socket(ipv6(text) ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	must(fd >= 0);
	if (ipv6(text)) {
		must(inet_pton(AF_INET6, text, &request6.address) == 1);
		must(ioctl(fd, SIOCSIFADDR, &request6) == 0);
	} else {
		name->sin_family = AF_INET;
		must(inet_pton(AF_INET, text, &name->sin_addr) == 1);
		must(ioctl(fd, SIOCSIFADDR, &request) == 0);
	}
	close(fd);
}

static void bring_lo_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	must(fd >= 0);
	must(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	close(fd);
}

/* Has the kernel a route to this address of its own (RTF_LOCAL)? It makes one a moment after the address can be bound
 * to, and until then drops without an error what is sent there. */
static int is_routed(const struct in6_addr *address)
{
	char line[256], destination[33], wanted[33];
	unsigned long flags;
	int found = 0;
	FILE *file = fopen("/proc/self/net/ipv6_route", "r");

	must(file != NULL);
	for (unsigned int i = 0; i < sizeof *address; i++)
		snprintf(wanted + 2 * i, 3, "%02x", address->s6_addr[i]);
	while (!found && fgets(line, sizeof line, file) != NULL)
		found = sscanf(line, "%32s %*x %*s %*x %*s %*x %*x %*x %lx", destination, &flags) == 2 &&
			strcmp(destination, wanted) == 0 && flags & 0x80000000;
	fclose(file);
	return found;
}

/* From a socket to itself. */
static void exchange(const char *text, size_t length)
{
	struct sockaddr_in6 name6 = {.sin6_family = AF_INET6};
	struct sockaddr_in name = {.sin_family = AF_INET};
	struct sockaddr *any = ipv6(text) ? (struct sockaddr *)&name6 : (struct sockaddr *)&name;
	socklen_t size = ipv6(text) ? sizeof name6 : sizeof name;
	int fd = socket(any->sa_family, SOCK_DGRAM, 0);
	char bytes[512] = {0};

	must(inet_pton(any->sa_family, text, ipv6(text) ? (void *)&name6.sin6_addr : (void *)&name.sin_addr) == 1);
	while (bind(fd, any, size) != 0) { /* a new IPv6 address is tentative for a moment */
		must(errno == EADDRNOTAVAIL);
		poll(NULL, 0, 1);
	}
	while (ipv6(text) && !is_routed(&name6.sin6_addr))
		poll(NULL, 0, 1);
	must(getsockname(fd, any, &size) == 0);
	must(connect(fd, any, size) == 0);
	sent(send(fd, bytes, length, 0));
	received(recv(fd, bytes, sizeof bytes, 0));
	close(fd);
}

int main(void)
{
	skip_unless(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
	bring_lo_up();
	for (size_t i = 0; i < sizeof datagrams / sizeof datagrams[0]; i++) {
		if (i >= 2) /* an IPv4 address replaces the one before it: the loopback ones are there by themselves */
			add_to_lo(datagrams[i].address);
		exchange(datagrams[i].address, datagrams[i].length);
	}
	tell(all_sent, all_received);
	return 0;
}
