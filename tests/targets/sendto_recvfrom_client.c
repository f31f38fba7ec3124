/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: client.out PORT [udp]
 * As send_recv_client, with sendto and recvfrom; over UDP (a socket that is not connected) if the word says so. */
#include "text.h"

#include "sockets.h"

int main(int argc, char **argv)
{
	char text[TEXT_LENGTH + 1];
	int udp = argc > 2 && strcmp(argv[2], "udp") == 0;
	int server = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	struct sockaddr_in address;
	socklen_t length = udp ? sizeof address : 0;

	must(argc >= 2);
	must(server >= 0);
	address = loopback(htons((in_port_t)atoi(argv[1])));
	if (!udp)
		connect_to(server, address);
	make_text(text, "Client");
	sent(sendto(server, text, TEXT_LENGTH, 0, udp ? (struct sockaddr *)&address : NULL, length));
	received(recvfrom(server, text, TEXT_LENGTH, MSG_WAITALL, NULL, NULL));
	close(server);
	tell(all_sent, all_received);
	return 0;
}
