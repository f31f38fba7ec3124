/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The slow way to a socket's identity: the tables of /proc/TID/net (proc_net(5)), searched for the inode.
 */
#include "sockets/procnet.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "machine/proc.h"
#include "machine/proc_path.h"

struct table {
	const char *name;
	int family;
	int type;
	int protocol;
};

static const struct table tables[] = {
	{"tcp", AF_INET, SOCK_STREAM, IPPROTO_TCP},
	{"tcp6", AF_INET6, SOCK_STREAM, IPPROTO_TCP},
	{"udp", AF_INET, SOCK_DGRAM, IPPROTO_UDP},
	{"udp6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP},
	{"raw", AF_INET, SOCK_RAW, 0},
	{"raw6", AF_INET6, SOCK_RAW, 0},
	{"unix", AF_UNIX, 0, 0},
	{"netlink", AF_NETLINK, SOCK_RAW, 0},
	{"packet", AF_PACKET, SOCK_RAW, 0},
};

/* "0100007F:1F90" into a sockaddr: the address as host-order 32-bit words in hex, the port in hex. */
static uint32_t parse_address(const char *text, int family, uint8_t *to)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	unsigned int words[4] = {0}, port = 0;

	if (family == AF_INET && sscanf(text, "%8X:%X", &words[0], &port) == 2) {
		in.sin_addr.s_addr = words[0];
		in.sin_port = htons((uint16_t)port);
		memcpy(to, &in, sizeof(in));
		return port || words[0] ? sizeof(in) : 0;
	}
	if (family == AF_INET6 &&
	    sscanf(text, "%8X%8X%8X%8X:%X", &words[0], &words[1], &words[2], &words[3], &port) == 5) {
		memcpy(&in6.sin6_addr, words, sizeof(words));
		in6.sin6_port = htons((uint16_t)port);
		memcpy(to, &in6, sizeof(in6));
		return port || words[0] || words[1] || words[2] || words[3] ? sizeof(in6) : 0;
	}
	return 0;
}

/* Fills info from one line if it is about this inode. */
static bool parse_line(const char *line, const struct table *table, uint64_t inode, struct pt_socket_info *info)
{
	char local[64], remote[64];
	unsigned long long found = 0;
	unsigned int type = 0;

	switch (table->family) {
	case AF_INET:
	case AF_INET6:
		if (sscanf(line, " %*d: %63s %63s %*s %*s %*s %*s %*s %*s %llu", local, remote, &found) != 3 ||
		    found != inode)
			return false;
		info->local_length = parse_address(local, table->family, info->local);
		info->peer_length = parse_address(remote, table->family, info->peer);
		break;
	case AF_UNIX:
		if (sscanf(line, "%*s %*s %*s %*s %X %*s %llu", &type, &found) != 2 || found != inode)
			return false;
		break;
	case AF_NETLINK:
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &found) != 1 || found != inode)
			return false;
		break;
	default:
		if (sscanf(line, "%*s %*s %X %*s %*s %*s %*s %*s %llu", &type, &found) != 2 || found != inode)
			return false;
	}
	info->family = table->family;
	info->type = type ? (int32_t)type : table->type;
	info->protocol = table->protocol;
	return true;
}

static bool search(pid_t tid, const struct table *table, uint64_t inode, struct pt_socket_info *info)
{
	char path[PROC_PATH], name[24], line[512];
	bool found = false;
	FILE *file;

	snprintf(name, sizeof(name), "net/%s", table->name);
	if (proc_path(path, tid, name) < 0)
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = parse_line(line, table, inode, info);
	fclose(file);
	return found;
}

int procnet_identify(pid_t tid, int fd, struct pt_socket_info *info)
{
	int64_t inode = proc_socket_inode(tid, fd);

	/* Where /proc hides whom one may not look at (hidepid=2) the whole process is not there. */
	if (inode == -ENOENT)
		return proc_status(tid, "Tgid:", 10) < 0 ? -EACCES : -EBADF;
	if (inode <= 0)
		return (int)inode;
	info->inode = (uint64_t)inode;
	info->family = -1;
	for (unsigned int i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (search(tid, &tables[i], info->inode, info))
			break;
	return 1;
}
