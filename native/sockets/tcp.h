/* SPDX-License-Identifier: GPL-2.0-or-later
 * The kernel's own counters of a TCP socket, for the audit. */
#ifndef PT_TCP_H
#define PT_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "state/tracer.h"

/* As the kernel has them: sequence numbers, so SYN and FIN are in them. */
struct tcp_reading {
	uint64_t sent;	   /* bytes acked or still in the send queue */
	bool answered;	   /* anything of that was acked, if only the SYN */
	uint64_t received; /* bytes that arrived and left the receive queue */
	uint64_t retransmitted;
	uint32_t rtt_us;
	uint8_t state; /* enum tcp_state of linux/tcp_states.h: TCP_ESTABLISHED ... */
};

/* Reads the counters of this process's own fd. 0 or -errno. */
int tcp_read(int fd, struct tcp_reading *out);
/* The same of what TCP_INFO (struct tcp_info), SIOCOUTQ and SIOCINQ gave. */
struct tcp_info;
struct tcp_reading tcp_reading_of(const struct tcp_info *info, int outq, int inq);
/* Was nothing sent or received yet? *active tells then whether connect() made the socket. */
bool tcp_fresh(const struct tcp_reading *reading, bool *active);
/* Is it in no connection: not yet, or not any more? */
bool tcp_closed(const struct tcp_reading *reading);
/* Payload alone. sent and received are what ptmon counted: see the comment in tcp.c on closed sockets. */
struct pt_tcp_info tcp_counters(const struct tcp_reading *reading, bool active, uint64_t sent, uint64_t received);

#endif
