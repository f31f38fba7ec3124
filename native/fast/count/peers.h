/* SPDX-License-Identifier: GPL-2.0-or-later
 * Peers whose connections need not be looked at any more (sockets/heed.h), where stubs that connect see them. */
#ifndef PT_FAST_PEERS_H
#define PT_FAST_PEERS_H

#include "fast/image/image.h"

/* From now on what is connected with this one passes from its first transfer on. */
void peers_add(const struct image *image, const uint8_t *peer, uint32_t length);
/* 0 or -errno. */
int peers_forget_all(const struct image *image);

#endif
