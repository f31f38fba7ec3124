/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls on message queues and semaphores. See blocking.h. */
#include <mqueue.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "blocking.h"

enum { SHORT = 9, LARGE = 5000 };

static int id;

static struct {
	long type;
	char text[LARGE];
} message = {.type = 1};

static void new_queue(void)
{
	char name[40];
	struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = SHORT};

	snprintf(name, sizeof name, "/blocking.%d", getpid());
	must((near = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes)) >= 0 && mq_unlink(name) == 0);
}

static void put_one(void)
{
	must(mq_send(near, message.text, SHORT, 1) == 0);
}

static void full_queue(void)
{
	new_queue();
	put_one();
}

static void take_one(void)
{
	must(mq_receive(near, message.text, SHORT, NULL) == SHORT);
}

static long by_mq_receive(void)
{
	return mq_receive(near, message.text, SHORT, NULL);
}

static long by_mq_timedreceive(void)
{
	struct timespec end = deadline(CLOCK_REALTIME);

	return mq_timedreceive(near, message.text, SHORT, NULL, &end);
}

static long by_mq_send(void)
{
	return mq_send(near, message.text, SHORT, 1);
}

static long by_mq_timedsend(void)
{
	struct timespec end = deadline(CLOCK_REALTIME);

	return mq_timedsend(near, message.text, SHORT, 1, &end);
}

static void remove_messages(void)
{
	must(msgctl(id, IPC_RMID, NULL) == 0);
}

static void new_messages(void)
{
	must((id = msgget(IPC_PRIVATE, 0600 | IPC_CREAT)) >= 0);
	clean_up = remove_messages;
}

static void full_messages(void)
{
	new_messages();
	while (msgsnd(id, &message, LARGE, IPC_NOWAIT) == 0)
		continue;
}

static long by_msgrcv(void)
{
	return msgrcv(id, &message, LARGE, 0, 0);
}

static long by_msgsnd(void)
{
	return msgsnd(id, &message, LARGE, 0);
}

static void put_message(void)
{
	must(msgsnd(id, &message, SHORT, 0) == 0);
}

static void take_message(void)
{
	must(msgrcv(id, &message, LARGE, 0, IPC_NOWAIT) == LARGE);
}

static void remove_semaphore(void)
{
	must(semctl(id, 0, IPC_RMID) == 0);
}

static void new_semaphore(void)
{
	must((id = semget(IPC_PRIVATE, 1, 0600 | IPC_CREAT)) >= 0);
	clean_up = remove_semaphore;
}

static long by_semop(void)
{
	return semop(id, &(struct sembuf){.sem_op = -1}, 1);
}

static long by_semtimedop(void)
{
	struct timespec time = limit();

	return semtimedop(id, &(struct sembuf){.sem_op = -1}, 1, &time);
}

static void raise_semaphore(void)
{
	must(semop(id, &(struct sembuf){.sem_op = 1}, 1) == 0);
}

int main(int argc, char **argv)
{
	static const struct row rows[] = {
		ENDS("mq_receive", new_queue, by_mq_receive, put_one),
		EXPIRES("mq_timedreceive", new_queue, by_mq_timedreceive),
		ENDS("mq_send", full_queue, by_mq_send, take_one),
		EXPIRES("mq_timedsend", full_queue, by_mq_timedsend),
		ENDS("msgrcv", new_messages, by_msgrcv, put_message),
		ENDS("msgsnd", full_messages, by_msgsnd, take_message),
		ENDS("semop", new_semaphore, by_semop, raise_semaphore),
		EXPIRES("semtimedop", new_semaphore, by_semtimedop),
		{0},
	};

	return make_one_of(rows, argc, argv);
}
