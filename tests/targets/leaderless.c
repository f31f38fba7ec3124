/* SPDX-License-Identifier: GPL-2.0-or-later
 * main() leaves by pthread_exit(3), and another thread transfers: the thread group's leader is a zombie then, through
 * which /proc shows neither files nor memory. With "wait" it says "ready" when that is so. */
#include "begin.h"

enum { TIMES = 300 };

struct words {
	int count;
	char **word;
};

static void *work(void *argument)
{
	const struct words *words = argument;

	if (words->count > 1) /* else main exits at some time from now on */
		await_state(getpid(), getpid(), "Z");
	begin(words->count, words->word);
	chat(11, TIMES);
	chat(13, TIMES);
	tally_tell();
	exit(3);
}

int main(int argc, char **argv)
{
	static struct words words;

	words = (struct words){argc, argv};
	tally_open();
	chat(7, 1); /* so that its code may have been looked at by now */
	start_thread(work, &words);
	pthread_exit(NULL);
}
