/* SPDX-License-Identifier: GPL-2.0-or-later
 * The twin of a stub: a second copy of the same call, at an address that our filter does not let pass, for when the
 * call has to stop. Where there is no filter the thread makes a request first (request.S). */
#ifndef PT_FAST_TWIN_H
#define PT_FAST_TWIN_H

#define TWIN_CALL 16 /* offset of its syscall instruction */
#define TWIN_DONE 18 /* and of what is behind it */

#endif
