/* SPDX-License-Identifier: GPL-2.0-or-later
 * Writing code into a tracee. */
#ifndef PT_FAST_EMIT_CODE_H
#define PT_FAST_EMIT_CODE_H

#include "fast/image/image.h"
#include "machine/memory.h"

/* Bytes that the site's jump replaces. */
static inline unsigned int site_size(const struct fast_site *site)
{
	return site->before + 2u + site->after;
}

/* Stubs, twins and pointers of the sites from this one on. 0 or -errno. */
int emit_code_stubs(const struct image *image, pid_t tid, unsigned int first);
/* The bytes of a site with its jump. */
void emit_code_make_jump(const struct fast_site *site, uint64_t pointer, uint8_t to[SITE_BYTES]);
/* Are those of all sites what stands there? */
bool emit_code_matches(const struct image *image, pid_t tid);
/* A site's jump through its pointer; and the program's own bytes. */
int emit_code_jump(const struct memory_code *code, const struct fast_site *site, uint64_t pointer);
int emit_code_original(const struct memory_code *code, const struct fast_site *site);
/* Both but for their first byte. */
int emit_code_jump_tail(const struct memory_code *code, const struct fast_site *site, uint64_t pointer);
int emit_code_original_tail(const struct memory_code *code, const struct fast_site *site);

/* Reads what stands at all sites from this one on. */
void emit_code_look(struct image *image, pid_t tid, unsigned int first);
/* Did the program's own bytes stand there at the last look, or the jump? */
bool emit_code_has_original(const struct fast_site *site);
bool emit_code_has_jump(const struct fast_site *site, uint64_t pointer);

#endif
