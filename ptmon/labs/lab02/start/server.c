/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: server CLIENTS
 * Says its port, takes a text from each client and sends it back, with a greeting before it. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(int client)
{
	char text[64];
	ssize_t length = recv(client, text, sizeof text, 0);

	send(client, "hello: ", 7, 0);
	if (length > 0)
		send(client, text, (size_t)length, 0);
	close(client);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0)
		return 1;
	getsockname(listener, (struct sockaddr *)&address, &size);
	printf("port %d\n", ntohs(address.sin_port));
	fflush(stdout);
	for (int clients = argc > 1 ? atoi(argv[1]) : 1; clients > 0; clients--)
		serve(accept(listener, NULL, NULL));
	return 0;
}
