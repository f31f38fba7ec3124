/* SPDX-License-Identifier: GPL-2.0-or-later
 * Opens public.txt. While the thread that does it stands (t: tracing stop), another thread writes another name into the
 * same memory. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char name[] = "public.txt";
static int state;
static volatile int runs, about_to_open, stopped;

static void *swap(void *unused)
{
	char text[256];

	runs = 1;
	while (!about_to_open)
		;
	for (int looks = 0; looks < 1000000 && !stopped; looks++) {
		ssize_t length = pread(state, text, sizeof text - 1, 0);
		text[length > 0 ? length : 0] = 0;
		stopped = strstr(text, ") t ") != NULL;
	}
	usleep(300000); /* the hook has read the name by now, and thinks about it */
	strcpy(name, "secret.txt");
	return unused;
}

int main(void)
{
	char text[64] = "";
	pthread_t thread;

	state = open("/proc/thread-self/stat", O_RDONLY);
	if (pthread_create(&thread, NULL, swap, NULL) != 0)
		return 1;
	while (!runs)
		;
	about_to_open = 1;
	int file = openat(AT_FDCWD, name, O_RDONLY);
	if (file < 0)
		puts("refused");
	else if (read(file, text, sizeof text - 1) > 0)
		printf("read: %s", text);
	pthread_join(thread, NULL);
	return 0;
}
