/* SPDX-License-Identifier: GPL-2.0-only
 * Writing code into a tracee. */
#ifndef PT_FAST_EMIT_CODE_H
#define PT_FAST_EMIT_CODE_H

#include "fast/image/image.h"

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
/* A site's jump through its pointer; and what stood there, if the jump stands there still. */
int emit_code_jump(pid_t tid, const struct fast_site *site, uint64_t pointer);
/* The jump but for its first byte, and the program's own bytes but for theirs. */
int emit_code_jump_tail(pid_t tid, const struct fast_site *site, uint64_t pointer);
int emit_code_original_tail(pid_t tid, const struct fast_site *site);
/* Do the program's own bytes stand there? */
bool emit_code_has_original(pid_t tid, const struct fast_site *site);
bool emit_code_has_jump(pid_t tid, const struct fast_site *site, uint64_t pointer);
int emit_code_original(pid_t tid, const struct fast_site *site, uint64_t pointer);

#endif
