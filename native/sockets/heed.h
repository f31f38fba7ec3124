/* SPDX-License-Identifier: GPL-2.0-or-later
 * Of which sockets payload is told (options.names): what is on them may say by which names the program knows its peers.
 * A call of which payload is told has to stop. */
#ifndef PT_HEED_H
#define PT_HEED_H

#include "state/tracer.h"

/* More is known of the socket: is it one of those? */
void heed_look(struct pt_tracer *t, struct socket *socket);
/* Something was sent on it to the peer that the call named. True: it is, and was none before. */
bool heed_peer(struct pt_tracer *t, struct socket *socket, const uint8_t *peer, uint32_t length);
/* Something of it is about to be told. False: there was enough of that in this second, and it is to be heeded no more.
 */
bool heed_tells(struct pt_tracer *t);

#endif
