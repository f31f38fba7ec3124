/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: server.out [PORT]
 * Serves one TCP client after another on 127.0.0.1 until Ctrl-C: takes a text of 35 bytes from each and sends one of
 * its own, with send and recv. */
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

int main(int argc, char **argv)
{
	struct sockaddr_in address = loopback(htons((in_port_t)(argc > 1 ? atoi(argv[1]) : 0)));
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	must(listener >= 0);
	must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
	must(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
	must(listen(listener, 16) == 0);
	must(signal(SIGINT, on_interrupt) != SIG_ERR);
	printf("listening %d\n", ntohs(name_of(listener).sin_port));
	fflush(stdout);

	for (;;) {
		char text[TEXT_LENGTH + 1];
		int client = accept(listener, NULL, NULL);

		must(client >= 0);
		must(recv(client, text, TEXT_LENGTH, MSG_WAITALL) == TEXT_LENGTH);
		make_text(text, "Server");
		must(send(client, text, TEXT_LENGTH, 0) == TEXT_LENGTH);
		close(client);
	}
}
