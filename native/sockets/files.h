/* SPDX-License-Identifier: GPL-2.0-or-later
 * fd tables: which socket an fd names, cached, and forgotten at close, dup2, dup3, close_range, connect and exec. */
#ifndef PT_FILES_H
#define PT_FILES_H

#include "state/tracer.h"

/* Gives the tracee an fd table: files, shared from now on, or a new one if NULL. 0 or -ENOMEM. */
int files_join(struct tracee *tracee, struct files *files);
/* The tracee is gone, or takes another table. */
void files_leave(struct pt_tracer *t, struct tracee *tracee);
/* The tracee has begun to exit. True if it was the last that used the table. */
bool files_last(struct tracee *tracee);
/* After unshare(CLONE_FILES) or execve: a table of its own, nothing known. 0 or -ENOMEM. */
int files_replace(struct pt_tracer *t, struct tracee *tracee);
/* From now on its fds may change unseen, why says how (enum unsure): each call looks its own up anew. */
void files_distrust(struct pt_tracer *t, struct tracee *tracee, enum unsure why);
/* The calls of its process that change fds do not stop, and it has no socket. */
void files_dry(struct tracee *tracee);
/* Now they do, each of them. */
void files_wet(struct pt_tracer *t, struct tracee *tracee);
/* The tracee's table is a copy of that one. */
void files_copied(struct tracee *tracee, const struct files *of);

/* Tells the image (fast/) of the tracee's process what is known already, and of which fds nothing is. */
void files_fill_image(struct pt_tracer *t, const struct tracee *tracee);
/* It is about to lose that image. An fd that was closed without a stop is forgotten: only there can that be seen. */
void files_leave_image(struct pt_tracer *t, struct files *files);

/* What fd names now. 1: *out is the socket; 0: no socket; -errno: it can't be known. The tracee must be stopped. */
int files_lookup(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket **out);
/* The same, if it was looked up before and is a socket; else NULL. */
struct socket *files_known(struct pt_tracer *t, struct files *files, int fd);
/* Notes what an fd of an unreadable process is: since a call succeeded that only sockets allow, or by asking it. NULL:
 * no socket. False: it may change just now, and nothing is noted. */
bool files_note(struct pt_tracer *t, struct tracee *tracee, int fd, struct socket *socket);
/* What was noted of it, or found at the last look; NULL: nothing, or that it is no socket. */
struct socket *files_noted(const struct files *files, int fd);

/* What the fast path has found out of an fd: it is that socket; and a stub has closed it. */
void files_found(struct pt_tracer *t, struct files *files, unsigned int fd, struct socket *socket);
void files_ended(struct pt_tracer *t, struct files *files, unsigned int fd);
/* The tracee stands before a call that takes the fds first..last away (or changes what they are): they are forgotten,
 * and stay unknown until closing_settle(). */
void files_closing(struct pt_tracer *t, struct tracee *tracee, unsigned int first, unsigned int last);
/* The same for one fd; calls visit first if it is a socket. */
void files_close(struct pt_tracer *t, struct tracee *tracee, int fd,
		 void (*visit)(struct pt_tracer *, struct tracee *, int fd, struct socket *));
/* Calls visit for every socket that is known among the fds first..last. */
void files_each(struct pt_tracer *t, struct tracee *tracee, unsigned int first, unsigned int last,
		void (*visit)(struct pt_tracer *, struct tracee *, int fd, struct socket *));

#endif
