/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the kernel counted (include/uapi/linux/tcp.h, net/ipv4/tcp.c):
 *
 *   sent      tcpi_bytes_acked + SIOCOUTQ. SIOCOUTQ is write_seq - snd_una. Both count sequence numbers, so a SYN that
 *             was sent (by the side that called connect) and a FIN that was sent are one byte each.
 *   received  tcpi_bytes_received - SIOCINQ. A FIN that was received is one byte; SIOCINQ leaves it out.
 */
#include "sockets/tcp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define READ_TRIES 8

/* enum in include/net/tcp_states.h, which is not exported */
enum {
	ESTABLISHED = 1,
	SYN_SENT,
	SYN_RECV,
	FIN_WAIT1,
	FIN_WAIT2,
	TIME_WAIT,
	CLOSE,
	CLOSE_WAIT,
	LAST_ACK,
	LISTEN,
	CLOSING
};

static int read_info(int fd, struct tcp_info *info)
{
	socklen_t length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) < 0 ? -errno : 0;
}

struct tcp_reading tcp_reading_of(const struct tcp_info *info, int outq, int inq)
{
	return (struct tcp_reading){
		.sent = info->tcpi_bytes_acked + (uint64_t)outq,
		.answered = info->tcpi_bytes_acked > 0,
		.received = info->tcpi_bytes_received - (uint64_t)inq,
		.retransmitted = info->tcpi_bytes_retrans,
		.rtt_us = info->tcpi_rtt,
		.state = info->tcpi_state,
	};
}

int tcp_read(int fd, struct tcp_reading *out)
{
	struct tcp_info before, after;
	int outq = 0, inq = 0, error = read_info(fd, &after);

	/* The peer may send or acknowledge between these calls: read until the counters have held still. */
	for (int i = 0; !error && i < READ_TRIES; i++) {
		before = after;
		if (ioctl(fd, SIOCOUTQ, &outq) < 0 || ioctl(fd, SIOCINQ, &inq) < 0)
			inq = outq = 0; /* a listening socket has no queues */
		error = read_info(fd, &after);
		if (after.tcpi_bytes_acked == before.tcpi_bytes_acked &&
		    after.tcpi_bytes_received == before.tcpi_bytes_received && after.tcpi_state == before.tcpi_state)
			break;
	}
	if (error)
		return error;
	*out = tcp_reading_of(&after, outq, inq);
	return 0;
}

static bool fin_sent(uint8_t state)
{
	return state == FIN_WAIT1 || state == FIN_WAIT2 || state == CLOSING || state == LAST_ACK || state == TIME_WAIT;
}

static bool fin_received(uint8_t state)
{
	return state == CLOSE_WAIT || state == LAST_ACK || state == CLOSING || state == TIME_WAIT;
}

bool tcp_fresh(const struct tcp_reading *reading, bool *active)
{
	uint64_t received = reading->received - fin_received(reading->state);
	uint64_t sent = reading->sent - fin_sent(reading->state);

	if (reading->state == CLOSE && !reading->answered)
		sent = 0; /* SIOCOUTQ is not to be believed of one that was refused */
	/* A SYN that is not acknowledged is not in the counters yet. */
	*active = sent == 1 || reading->state == SYN_SENT || (reading->state == CLOSE && sent == 0);
	return received == 0 && sent <= 1;
}

bool tcp_closed(const struct tcp_reading *reading)
{
	return reading->state == CLOSE;
}

/* In state CLOSE (reset, or both FINs done) the kernel no longer tells which FINs there were. One byte more than
 * was counted is then taken for a FIN: the only place where the audit gives a byte. */
static uint64_t without_unknown_fin(uint64_t kernel, uint64_t counted, uint8_t state)
{
	return state == CLOSE && kernel == counted + 1 ? counted : kernel;
}

struct pt_tcp_info tcp_counters(const struct tcp_reading *reading, bool active, uint64_t sent, uint64_t received)
{
	uint64_t kernel_sent = reading->sent - fin_sent(reading->state);
	uint64_t kernel_received = reading->received - fin_received(reading->state);

	if (active && kernel_sent > 0) /* 0: the SYN was never acknowledged */
		kernel_sent--;
	return (struct pt_tcp_info){
		.bytes_sent = without_unknown_fin(kernel_sent, sent, reading->state),
		.bytes_received = without_unknown_fin(kernel_received, received, reading->state),
		.retransmitted = reading->retransmitted,
		.rtt_us = reading->rtt_us,
	};
}
