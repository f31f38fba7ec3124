/* SPDX-License-Identifier: GPL-2.0-or-later
 * rt_sigaction(2) as the kernel takes it: the C library's own struct has another shape, and its sigaction() refuses two
 * signals, which it has handlers of its own for, and a parent may have ignored. */
#ifndef PT_KERNEL_ACTION_H
#define PT_KERNEL_ACTION_H

struct kernel_action {
	void (*handler)(int);
	unsigned long more[3];
};

#endif
