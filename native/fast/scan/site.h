/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_FAST_SITE_H
#define PT_FAST_SITE_H

#include <stdbool.h>
#include <stdint.h>

/* The system calls in the code of one executable segment, and whether their surroundings can be replaced. */

#define SITE_BEFORE 16 /* bytes of a replaced range in front of the syscall instruction, at most */
#define SITE_AFTER 16  /* and behind it */
#define SITE_BYTES 24  /* and of all of it */
#define SITE_LEAST 7   /* but not less: a jump to a stub */

/* Why the surroundings of a site can't be replaced. */
enum site_trouble {
	SITE_FINE,
	SITE_NO_CODE,	  /* the bytes around it do not decode, or are not surely executed as they decode */
	SITE_IS_ENTERED,  /* the code jumps into the middle of what would be replaced */
	SITE_KEEPS_FLAGS, /* behind it the flags are read, which a stub does not keep */
	SITE_IS_SHORT	  /* too few of the instructions around it mean the same elsewhere */
};

struct site {
	uint32_t offset;   /* of 0F 05, CD 80 or 0F 34 in the segment: the call returns to 2 bytes after it */
	uint8_t before;	   /* bytes of the replaced range in front of it */
	uint8_t after;	   /* and behind it: whole instructions, and nothing jumps to one that is not the first */
	uint8_t jump;	   /* of those behind it: the last ones are a relative jump to where the program goes on */
	bool patchable;	   /* before + 2 + after >= SITE_LEAST, and all of that can run elsewhere */
	bool repeatable;   /* what is in front may be run a second time when it has been run, without rcx and r11 */
	bool number_known; /* each way to it sets eax to number */
	bool foreign;	   /* int 0x80 or sysenter */
	bool data;	   /* its surroundings do not decode: it is (almost certainly) no code */
	uint8_t trouble;   /* enum site_trouble */
	uint32_t number;
	uint8_t bytes[SITE_BYTES]; /* of the range as they were found */
};

#endif
