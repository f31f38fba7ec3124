/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage: aio socket|file
 * 211 bytes are written by Linux AIO (io_submit(2), not POSIX aio), then 97 by send. */
#include "sockets.h"

#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static char bytes[308];
static int pair[2];

static void write_by_aio(int fd)
{
	struct iocb wanted = {.aio_lio_opcode = IOCB_CMD_PWRITE,
			      .aio_fildes = (__u32)fd,
			      .aio_buf = (__u64)(unsigned long)bytes,
			      .aio_nbytes = 211};
	struct iocb *list = &wanted;
	struct io_event done;
	aio_context_t context = 0;

	skip_unless(syscall(SYS_io_setup, 4, &context) == 0);
	must(syscall(SYS_io_submit, context, 1, &list) == 1);
	must(syscall(SYS_io_getevents, context, 1, 1, &done, NULL) == 1);
	must(done.res == 211);
}

static void socket_mode(void)
{
	tcp_pair(pair);
	write_by_aio(pair[0]);
	sent(211);
	sent(send(pair[0], bytes, 97, 0));
	received(recv(pair[1], bytes, 308, MSG_WAITALL));
}

static void file_mode(void)
{
	tcp_pair(pair);
	write_by_aio(memfd_create("file", 0));
	sent(send(pair[0], bytes, 97, 0));
	received(recv(pair[1], bytes, 97, MSG_WAITALL));
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {{"socket", socket_mode}, {"file", file_mode}, {NULL, NULL}};

	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
