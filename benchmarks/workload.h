/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the files of the workload share. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#define CHUNK 65536

struct share {
	long count;
	long sent;
	long received;
	int fd;
	char **command;
};

/* Ends the process if it is not. */
void must(int ok);

/* One operation is one call: half of them send, half receive. */
void *bounce(void *share);

void run_command(struct share *total);
void many_threads(struct share *total);
void many_processes(struct share *total);

#endif
