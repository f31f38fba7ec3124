/* SPDX-License-Identifier: GPL-2.0-only
 * The twin of a stub: the same call where it stops. */
#ifndef PT_FAST_TWIN_H
#define PT_FAST_TWIN_H

#define TWIN_CALL 16 /* offset of its syscall instruction */
#define TWIN_DONE 18 /* and of what is behind it */

#endif
