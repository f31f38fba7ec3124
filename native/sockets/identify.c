/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * First by pidfd_getfd(2): a duplicate of the fd here, which any getsockopt works on. It is closed before the tracee
 * runs on, so that it never delays a FIN. Where that is refused (a container's seccomp, an old kernel, a process that
 * is not dumpable) by /proc/PID/fd and /proc/PID/net.
 */
#include "sockets/identify.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sockets/procnet.h"

static int32_t option(int fd, int name, int32_t otherwise)
{
	int value = otherwise;
	socklen_t length = sizeof(value);

	getsockopt(fd, SOL_SOCKET, name, &value, &length);
	return value;
}

static uint32_t clamp(socklen_t length, size_t most)
{
	return length < most ? length : (uint32_t)most;
}

/* getpeername(2) has nothing to say of a connection that is over; this has. The length must not be more than the
 * address has (net/core/sock.c). */
static void read_last_peer(int fd, struct identity *out)
{
	socklen_t length = out->info.family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if ((out->info.family == AF_INET || out->info.family == AF_INET6) &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERNAME, out->was, &length) == 0)
		out->was_length = clamp(length, sizeof(out->was));
}

static void read_addresses(int fd, struct pt_socket_info *info)
{
	socklen_t length = sizeof(info->local);

	if (getsockname(fd, (struct sockaddr *)info->local, &length) == 0)
		info->local_length = clamp(length, sizeof(info->local));
	length = sizeof(info->peer);
	if (getpeername(fd, (struct sockaddr *)info->peer, &length) == 0)
		info->peer_length = clamp(length, sizeof(info->peer));
}

static enum pt_origin origin_of_unix(const struct pt_socket_info *info)
{
	const bool local = info->local_length > sizeof(sa_family_t), peer = info->peer_length > sizeof(sa_family_t);

	if (!info->peer_length)
		return info->type == SOCK_DGRAM && local ? PT_ORIGIN_BOUND : PT_ORIGIN_NONE;
	if (info->type == SOCK_DGRAM)
		return peer ? PT_ORIGIN_CONNECTED : PT_ORIGIN_PAIR;
	/* Who listens has a name, which accepted sockets share; who connects seldom has one. */
	if (local && peer)
		return PT_ORIGIN_UNKNOWN;
	return local ? PT_ORIGIN_ACCEPTED : peer ? PT_ORIGIN_CONNECTED : PT_ORIGIN_PAIR;
}

static bool has_port(const struct pt_socket_info *info)
{
	struct sockaddr_in address; /* sockaddr_in6 has its port in the same place */

	memcpy(&address, info->local, sizeof(address));
	return info->local_length >= offsetof(struct sockaddr_in, sin_addr) && address.sin_port;
}

static enum pt_origin origin_of(const struct identity *identity)
{
	const struct pt_socket_info *info = &identity->info;

	if (info->family == AF_UNIX)
		return origin_of_unix(info);
	if (info->family != AF_INET && info->family != AF_INET6)
		return PT_ORIGIN_UNKNOWN;
	if (info->type == SOCK_DGRAM && !info->peer_length)
		return has_port(info) ? PT_ORIGIN_BOUND : PT_ORIGIN_NONE;
	if (!info->peer_length)
		return PT_ORIGIN_NONE;
	if (info->type != SOCK_STREAM)
		return PT_ORIGIN_CONNECTED;
	if (!identity->is_tcp || !identity->fresh)
		return PT_ORIGIN_UNKNOWN;
	return identity->active ? PT_ORIGIN_CONNECTED : PT_ORIGIN_ACCEPTED;
}

void identity_conclude(struct identity *identity)
{
	identity->fresh = !identity->is_tcp || tcp_fresh(&identity->tcp, &identity->active);
	identity->info.origin = origin_of(identity);
}

void identity_is_connected(struct identity *identity)
{
	identity->fresh = true;
	identity->active = true;
	identity->info.origin = PT_ORIGIN_CONNECTED;
}

void identity_is_accepted(struct identity *identity)
{
	struct pt_socket_info *info = &identity->info;

	if (!info->peer_length && info->type == SOCK_STREAM) {
		memcpy(info->peer, identity->was, identity->was_length);
		info->peer_length = identity->was_length;
	}
	identity->fresh = true;
	identity->active = false;
	info->origin = origin_of(identity);
}

static int identify_duplicate(int fd, struct identity *out)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return 0;
	out->info.inode = st.st_ino;
	out->info.family = option(fd, SO_DOMAIN, -1);
	out->info.type = option(fd, SO_TYPE, 0);
	out->info.protocol = option(fd, SO_PROTOCOL, 0);
	read_addresses(fd, &out->info);
	if (!out->info.peer_length)
		read_last_peer(fd, out);
	out->is_tcp = out->info.type == SOCK_STREAM && out->info.protocol == IPPROTO_TCP &&
		      tcp_read(fd, &out->tcp) == 0;
	identity_conclude(out);
	return 1;
}

int identify(pid_t tid, int pidfd, int fd, struct identity *out)
{
	int found;

	memset(out, 0, sizeof(*out));
	if (pidfd >= 0) {
		int duplicate = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

		if (duplicate >= 0) {
			found = identify_duplicate(duplicate, out);
			close(duplicate);
			return found;
		}
		if (errno == EBADF)
			return -EBADF;
	}
	return procnet_identify(tid, fd, &out->info);
}
