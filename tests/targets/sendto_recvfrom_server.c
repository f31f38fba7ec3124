/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: server.out [PORT [udp]]
 * As send_recv_server, with sendto and recvfrom; over UDP if the word says so. */
#include "text.h"

#include "sockets.h"

#include <signal.h>

static void on_interrupt(int signal)
{
	static const char farewell[] = "Server exited.\n";

	(void)signal;
	/* printf is not async-signal-safe; a stdout that is gone is no reason not to exit */
	if (write(STDOUT_FILENO, farewell, sizeof farewell - 1) < 0)
		_exit(1);
	_exit(0);
}

/* Over TCP both calls leave the address alone (length 0): the connection knows its peer. */
static void serve(int fd)
{
	char text[TEXT_LENGTH + 1];
	struct sockaddr_in client;
	socklen_t length = sizeof client;

	must(recvfrom(fd, text, TEXT_LENGTH, MSG_WAITALL, (struct sockaddr *)&client, &length) == TEXT_LENGTH);
	make_text(text, "Server");
	must(sendto(fd, text, TEXT_LENGTH, 0, (struct sockaddr *)&client, length) == TEXT_LENGTH);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = loopback(htons((in_port_t)(argc > 1 ? atoi(argv[1]) : 0)));
	int udp = argc > 2 && strcmp(argv[2], "udp") == 0;
	int server = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	int on = 1;

	must(server >= 0);
	must(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
	must(bind(server, (struct sockaddr *)&address, sizeof address) == 0);
	must(udp || listen(server, 16) == 0);
	must(signal(SIGINT, on_interrupt) != SIG_ERR);
	printf("listening %d\n", ntohs(name_of(server).sin_port));
	fflush(stdout);

	while (udp)
		serve(server);
	for (;;) {
		int client = accept(server, NULL, NULL);

		must(client >= 0);
		serve(client);
		close(client);
	}
}
