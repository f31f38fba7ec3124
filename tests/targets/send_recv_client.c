/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: client.out PORT
 * Sends a text of 35 bytes to the server on 127.0.0.1 and takes one from it, with send and recv. */
#include "text.h"

#include "sockets.h"

int main(int argc, char **argv)
{
	char text[TEXT_LENGTH + 1];
	int server = socket(AF_INET, SOCK_STREAM, 0);

	must(argc == 2);
	must(server >= 0);
	connect_to(server, loopback(htons((in_port_t)atoi(argv[1]))));
	make_text(text, "Client");
	sent(send(server, text, TEXT_LENGTH, 0));
	received(recv(server, text, TEXT_LENGTH, MSG_WAITALL));
	close(server);
	tell(all_sent, all_received);
	return 0;
}
