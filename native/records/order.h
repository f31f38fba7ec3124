/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PT_ORDER_H
#define PT_ORDER_H

#include "state/tracer.h"

/* Puts the records of a batch in the order of their times; equal ones stay as they are. False: out of memory. */
bool order_by_time(struct out *out);

#endif
