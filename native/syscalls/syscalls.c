/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ONE table: the seccomp filter is made from it, the loop decodes by it, and the reports take their names from it.
 * Numbers: arch/x86/entry/syscalls/syscall_{64,32}.tbl and include/uapi/asm-generic/unistd.h of the kernel.
 */
#include "syscalls/syscalls.h"

#include <linux/audit.h>
#include <stddef.h>

#include "ptmon_api.h"

#define SENT PT_SENT
#define RECEIVED PT_RECEIVED

/* clang-format off */
static const struct syscall_entry table[] = {
	/* name              x86_64 i386 aarch64  rule       direction only  fd flags address vector */
	{"sendto",          {44,  369, 206}, RULE_BYTES,       SENT, true,  0,  3,  4, false},
	{"recvfrom",        {45,  371, 207}, RULE_BYTES,   RECEIVED, true,  0,  3,  4, false},
	{"sendmsg",         {46,  370, 211}, RULE_MSG,         SENT, true,  0,  2,  1, false},
	{"recvmsg",         {47,  372, 212}, RULE_MSG,     RECEIVED, true,  0,  2,  1, false},
	{"sendmmsg",        {307, 345, 269}, RULE_MMSG,        SENT, true,  0,  3,  1, false},
	{"recvmmsg",        {299, 337, 243}, RULE_MMSG,    RECEIVED, true,  0,  3,  1, false},
	{"recvmmsg_time64", {-1,  417, -1 }, RULE_MMSG,    RECEIVED, true,  0,  3,  1, false},
	{"read",            {0,     3, 63 }, RULE_BYTES,   RECEIVED, false, 0, -1, -1, false},
	{"readv",           {19,  145, 65 }, RULE_BYTES,   RECEIVED, false, 0, -1, -1, true},
	{"preadv2",         {327, 378, 286}, RULE_BYTES,   RECEIVED, false, 0, -1, -1, true},
	{"write",           {1,     4, 64 }, RULE_BYTES,       SENT, false, 0, -1, -1, false},
	{"writev",          {20,  146, 66 }, RULE_BYTES,       SENT, false, 0, -1, -1, true},
	{"pwritev2",        {328, 379, 287}, RULE_BYTES,       SENT, false, 0, -1, -1, true},
	{"sendfile",        {40,  187, 71 }, RULE_SENDFILE,    SENT, false, 0, -1, -1, false},
	{"sendfile64",      {-1,  239, -1 }, RULE_SENDFILE,    SENT, false, 0, -1, -1, false},
	{"splice",          {275, 313, 76 }, RULE_SPLICE,      SENT, false, 0, -1, -1, false},
	/* i386 reaches these two by socketcall alone */
	{"send",            {-1,   -1, -1 }, RULE_BYTES,       SENT, true,  0,  3, -1, false},
	{"recv",            {-1,   -1, -1 }, RULE_BYTES,   RECEIVED, true,  0,  3, -1, false},
	{"socketcall",      {-1,  102, -1 }, RULE_SOCKETCALL,     0, false, -1, -1, -1, false},
	{"close",           {3,     6, 57 }, RULE_CLOSE,          0, false, 0, -1, -1, false},
	{"dup2",            {33,   63, -1 }, RULE_DUP,            0, false, 1, -1, -1, false},
	{"dup3",            {292, 330, 24 }, RULE_DUP,            0, false, 1, -1, -1, false},
	{"close_range",     {436, 436, 436}, RULE_CLOSE_RANGE,    0, false, -1, -1, -1, false},
	{"connect",         {42,  362, 203}, RULE_CONNECT,        0, true,  0, -1,  1, false},
	{"unshare",         {272, 310, 97 }, RULE_UNSHARE,        0, false, -1, -1, -1, false},
	{"clone",           {56,  120, 220}, RULE_CLONE,          0, false, -1, -1, -1, false},
	{"clone3",          {435, 435, 435}, RULE_CLONE3,         0, false, -1, -1, -1, false},
	{"vfork",           {58,  190, -1 }, RULE_VFORK,          0, false, -1, -1, -1, false},
	{"execve",          {59,   11, 221}, RULE_EXEC,           0, false, -1, -1, -1, false},
	{"execveat",        {322, 358, 281}, RULE_EXEC,           0, false, -1, -1, -1, false},
	{"seccomp",         {317, 354, 277}, RULE_SECCOMP,        0, false, -1, -1, -1, false},
	{"prctl",           {157, 172, 167}, RULE_PRCTL,          0, false, -1, -1, -1, false},
	{"ptrace",          {101,  26, 117}, RULE_PTRACE,         0, false, -1, -1, -1, false},
	{"io_uring_setup",  {425, 425, 425}, RULE_IO_URING,       0, false, -1, -1, -1, false},
	{"io_uring_enter",  {426, 426, 426}, RULE_IO_URING_ENTER, 0, false, -1, -1, -1, false},
	{"pidfd_getfd",     {438, 438, 438}, RULE_PIDFD_GETFD,    0, false, -1, -1, -1, false},
	{"io_submit",       {209, 248, 2  }, RULE_IO_SUBMIT,      0, false, -1, -1, -1, false},
	{"socket",          {41,  359, 198}, RULE_SOCKET,         0, false, -1, -1, -1, false},
	{"socketpair",      {53,  360, 199}, RULE_SOCKET,         0, false, -1, -1, -1, false},
	{"setuid",          {105,  23, 146}, RULE_CREDENTIALS,    0, false, -1, -1, -1, false},
	{"setuid32",        {-1,  213, -1 }, RULE_CREDENTIALS,    0, false, -1, -1, -1, false},
	{"setreuid",        {113,  70, 145}, RULE_CREDENTIALS,    0, false, -1, -1, -1, false},
	{"setreuid32",      {-1,  203, -1 }, RULE_CREDENTIALS,    0, false, -1, -1, -1, false},
	{"setresuid",       {117, 164, 147}, RULE_CREDENTIALS,    0, false, -1, -1, -1, false},
	{"setresuid32",     {-1,  208, -1 }, RULE_CREDENTIALS,    0, false, -1, -1, -1, false},
	{"capset",          {126, 185, 91 }, RULE_CREDENTIALS,    0, false, -1, -1, -1, false},
	{"ioctl",           {16,   54, 29 }, RULE_BINDER,         0, false, -1, -1, -1, false},
};
/* clang-format on */

#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

const struct syscall_entry *syscall_table(unsigned int *count)
{
	*count = TABLE_SIZE;
	return table;
}

const struct syscall_entry *syscall_find(enum abi abi, uint64_t number)
{
	/* Some 47 comparisons in one cache-warm array: tens of nanoseconds beside a stop of many microseconds. */
	for (unsigned int i = 0; i < TABLE_SIZE && abi < ABI_COUNT; i++)
		if (table[i].number[abi] >= 0 && (uint64_t)table[i].number[abi] == number)
			return &table[i];
	return NULL;
}

enum abi abi_of(uint32_t audit_arch)
{
	switch (audit_arch) {
	case AUDIT_ARCH_X86_64:
		return ABI_X86_64;
	case AUDIT_ARCH_I386:
		return ABI_I386;
	case AUDIT_ARCH_AARCH64:
		return ABI_AARCH64;
	default:
		return ABI_COUNT;
	}
}

const struct syscall_entry *syscall_named(const char *name)
{
	for (unsigned int i = 0; i < TABLE_SIZE; i++) {
		const char *a = table[i].name, *b = name;

		while (*a && *a == *b)
			a++, b++;
		if (*a == *b)
			return &table[i];
	}
	return NULL;
}

uint16_t syscall_index(const struct syscall_entry *entry)
{
	return entry ? (uint16_t)(entry - table) : UINT16_MAX;
}

const char *pt_syscall_name(unsigned int index)
{
	return index < TABLE_SIZE ? table[index].name : NULL;
}
