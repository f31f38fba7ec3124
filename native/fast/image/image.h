/* SPDX-License-Identifier: GPL-2.0-or-later
 * What of the fast path lies in one tracee's memory, as the tracer knows it. */
#ifndef PT_FAST_IMAGE_H
#define PT_FAST_IMAGE_H

#include "fast/image/layout.h"
#include "fast/image/stub.h"
#include "fast/scan/sites.h"
#include "sockets/identify.h"
#include "state/tracer.h"

/* A place in the program's code that makes a system call by a stub. */
struct fast_site {
	uint64_t call;	 /* address of the syscall instruction */
	uint64_t begin;	 /* of the bytes that are replaced: the same, or before it */
	uint8_t before;	 /* bytes of the replaced ones in front of the instruction */
	uint8_t after;	 /* and behind it */
	uint8_t jump;	 /* of those behind it: the last ones are a relative jump */
	bool repeatable; /* as struct site says */
	uint8_t original[SITE_BYTES];
	const struct stub *stub;
	uint32_t stub_at; /* address of its copy */
	bool jumps;	  /* the jump stands there */
	bool changes;	  /* its bytes are just being changed (live.c) */
	struct {
		uint8_t bytes[SITE_BYTES];
		bool read; /* else they could not be */
	} now;		   /* what stood there at the last look (emit_code_look) */
};

/* A socket whose fd was forgotten while something may be still to be read of it: calls on it that were under way in
 * stubs, and how it has ended there. */
struct fast_fading {
	struct fast_fading *next;
	struct socket *socket;
	unsigned int fd;
	uint32_t generation; /* of the fd, then */
	uint32_t over;	     /* how often endings had been read when it was seen to have another one; 0: it was not */
};

#define FAST_ENDED_BUCKETS 256

/* Entries of one kind: count/entries.h. */
struct fast_entries_seen {
	uint32_t taken;	  /* so many had been, ever, when they were looked at last */
	bool outstanding; /* one of them was not whole */
};

/* What a stub has written of a socket that it has closed. See count/endings.c. */
struct fast_ended {
	struct fast_ended *next;
	struct fast_ended *alike; /* the next one in its bucket */
	unsigned int fd;
	uint32_t generation;
	uint64_t thread; /* its thread pointer */
	int found;	 /* as identify() says it */
	struct identity identity;
	struct socket *socket; /* once calls on it were counted here; else NULL */
};

/* Equal calls of one thread that are emitted as one record. */
struct records_sum {
	uint16_t fd;
	uint16_t generation;
	uint16_t number;
	bool missed;  /* what the fd named then was not among what has been read of closes, though it is gone ... */
	bool unheard; /* ... nor among what has been read of connects */
	int error;
	uint64_t thread;
	uint64_t calls;
	uint64_t bytes;
};

/* A ring of records. */
struct fast_ring {
	uint64_t tail;	/* number of the first record that was not read yet, but for ... */
	uint64_t *gaps; /* ... earlier ones that their threads have begun and not written */
	unsigned int gap_count;
	bool was_full; /* when it was read, and is not now: who could not write may try again */
};

/* Executable memory whose bytes are known. */
struct known {
	uint64_t begin;
	uint64_t end;
	uint64_t *sums; /* of each CODE_CHUNK of it (code.h), without our jumps */
};

struct fast_thread {
	uint64_t pointer; /* the thread pointer (fs base), by which records name it */
	struct tracee *tracee;
};

/* A signal handler has begun that was to return to a stub or twin: where the thread's stack ended then. */
struct fast_handled {
	uint64_t stack;
	pid_t tid;
};

/* What becomes of an image; it never goes back. */
enum image_stage {
	IMAGE_USED,
	IMAGE_TO_WITHDRAW, /* as soon as everybody stands (unseen.c); until then all calls in stubs stop */
	IMAGE_WITHDRAWN,   /* nothing jumps to the stubs any more */
	IMAGE_CLOSED /* nor is anybody inside, and nothing is left to read: its memory is not looked at any more */
};

struct image {
	struct image *next; /* in the tracer's list */
	enum image_stage stage;
	struct group *group;
	struct files *files;
	pid_t reader;	 /* a thread through which its memory is read */
	bool by_request; /* there is no filter: before a twin's call its thread makes a request */

	struct fast_site *sites;
	unsigned int site_count;
	uint32_t stubs_end; /* address of the first free byte for a stub */
	uint64_t *tried;    /* calls whose code was looked at */
	unsigned int tried_count;
	bool occupied; /* a site was left alone, for a thread in a call returns there */

	struct fast_thread *threads;
	unsigned int thread_count;
	struct fast_fading *fading;
	struct {
		struct fast_ended *first; /* read, and not emitted yet */
		struct fast_ended **last;
		struct fast_ended *buckets[FAST_ENDED_BUCKETS]; /* by fd and generation */
		struct fast_entries_seen seen;
		uint32_t reads; /* so often they were looked for */
	} ended;
	struct {
		struct fast_attempt *first; /* read, and not emitted yet: count/attempts.c */
		struct fast_attempt **last;
		struct fast_entries_seen seen;
	} attempts;
	struct {
		struct records_sum *sums; /* of fds that can't be known yet */
		unsigned int count;
	} pending; /* count/records.c */
	struct {
		uint32_t *generations; /* by fd: with FAST_USED, the one of which the tracer's table speaks; 0: none */
		unsigned int size;
	} learnt;
	struct fast_ring rings[FAST_RINGS];
	unsigned int reserve; /* threads for each of which every ring has room for one more record */
	bool draining;
	bool leaving;		      /* its last thread is about to exit: none is under way any more */
	bool ending;		      /* so is the process, and all that its threads had written has been read */
	bool lost;		      /* what the rings hold is not believed any more (distrust.h): nobody reads them */
	const struct tracee *stopped; /* whose stop is about to be handled */

	uint32_t flags;		/* FAST_FLAGS as it was written last */
	uint32_t own_flags;	/* as it is while nobody borrows the memory */
	unsigned int borrowers; /* children of vfork that run in this memory (struct fast_tracee.borrows) */

	struct known *known; /* known.c */
	unsigned int known_count;
	struct {
		unsigned int at; /* which of them is looked at next ... */
		uint64_t offset; /* ... and from where on */
		uint32_t round;	 /* in which it was looked at last */
	} patrol;		 /* patrol.c */
	struct {
		struct fast_handled *list;
		unsigned int count;
		bool lost; /* there were more */
	} handled;	   /* handled.c */
	struct {
		uint8_t tries;	    /* to give the memory back, since it is to be withdrawn */
		int64_t not_before; /* ns, CLOCK_MONOTONIC: the next one */
	} leave;		    /* leave.c */
};

static inline void image_reaches(struct image *image, enum image_stage stage)
{
	if (image->stage < stage)
		image->stage = stage;
}

/* The site, and the offset in its copy of a stub, of an address; or NULL. */
const struct fast_site *image_stub_of(const struct image *image, uint64_t address, uint32_t *offset);
/* The same in its twin. */
const struct fast_site *image_twin_of(const struct image *image, uint64_t address, uint32_t *offset);
/* Does this call jump to a stub? */
bool image_has_site(const struct image *image, uint64_t call);
/* Is there a stub for it, whether it is used or not? */
bool image_knows_site(const struct image *image, uint64_t call);
/* Forgets the sites from this one on. */
void image_drop_sites(struct image *image, unsigned int first);
/* The code around this call has been looked at, and will not be again. */
bool image_has_tried(const struct image *image, uint64_t call);
void image_add_tried(struct image *image, uint64_t call);
uint64_t image_twin(const struct image *image, const struct fast_site *site);

/* Reads and writes the tracee's memory. 0 or -errno. */
int image_read(const struct image *image, uint64_t address, void *to, size_t length);
int image_write(const struct image *image, uint64_t address, const void *from, size_t length);
bool image_is_readable(const struct image *image);

/* Which calls have to stop: bits of FAST_FLAGS. */
int image_set_flags(struct image *image, uint32_t flags);
/* This thread is about to exit (NULL: the one through which the memory was read is gone): it is read through another
 * one. False: there is none. */
bool image_read_through_another(struct pt_tracer *t, struct image *image, const struct tracee *exiting);

#endif
