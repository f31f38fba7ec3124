/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: crowd PAIRS ROUNDS
 * As many client threads as server threads; each client makes ROUNDS TCP connections, one after another, and gets back
 * on each what it sent. All fds are of one table, so that every number names many sockets in turn. Who closes first
 * varies. */
#include "sockets.h"

#include <pthread.h>

enum { MOST = 64 };

static int listener, rounds;
static struct sockaddr_in address;

static unsigned long long length_of(int client, int round)
{
	return 1 + (unsigned long long)(client * 131 + round * 37) % 4001;
}

static void transfer_all(int fd, char *bytes, unsigned long long length, int writing)
{
	for (unsigned long long done = 0; done < length;) {
		ssize_t once = writing ? write(fd, bytes, length - done) : read(fd, bytes, length - done);

		must(once > 0);
		done += (unsigned long long)once;
	}
}

static void *client(void *number)
{
	int me = (int)(long)number;
	char bytes[4096] = {0};

	for (int round = 0; round < rounds; round++) {
		unsigned long long length = length_of(me, round);
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		must(fd >= 0);
		connect_to(fd, address);
		must(send(fd, &length, sizeof length, 0) == sizeof length);
		transfer_all(fd, bytes, length, 1);
		transfer_all(fd, bytes, length, 0);
		close(fd);
	}
	return NULL;
}

static void *server(void *unused)
{
	char bytes[4096];

	for (int round = 0; round < rounds; round++) {
		unsigned long long length;
		int fd = accept(listener, NULL, NULL);

		must(fd >= 0);
		must(recv(fd, &length, sizeof length, MSG_WAITALL) == sizeof length);
		transfer_all(fd, bytes, length, 0);
		transfer_all(fd, bytes, length, 1);
		close(fd);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[2 * MOST];
	int pairs = argc > 2 ? atoi(argv[1]) : 0;

	must(pairs > 0 && pairs <= MOST);
	rounds = atoi(argv[2]);
	listener = bound(SOCK_STREAM);
	must(listen(listener, MOST) == 0);
	address = name_of(listener);
	for (int i = 0; i < pairs; i++) {
		must(pthread_create(&threads[i], NULL, server, NULL) == 0);
		must(pthread_create(&threads[MOST + i], NULL, client, (void *)(long)i) == 0);
	}
	for (int i = 0; i < pairs; i++) {
		must(pthread_join(threads[i], NULL) == 0);
		must(pthread_join(threads[MOST + i], NULL) == 0);
		for (int round = 0; round < rounds; round++)
			all_sent += 2 * length_of(i, round) + sizeof(unsigned long long);
	}
	tell(all_sent, all_sent);
	return 0;
}
