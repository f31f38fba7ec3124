/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A new program's stack (fs/binfmt_elf.c, create_elf_tables): argc, the pointers of argv, 0, those of envp, 0, the
 * auxiliary vector, and above them the strings, argv's first and in one piece. AT_EXECFN points to the path given to
 * execve, whose last component is the name (comm). One read of memory tells this; three files of /proc cost as
 * much as ten stops.
 */
#include "process/stack.h"

#include <elf.h>
#include <string.h>

#include "machine/memory.h"
#include "machine/registers.h"

#define STACK_SIZE 16384
#define PATH_SIZE 4096
#define NAME_LENGTH 15

struct stack {
	uint8_t bytes[STACK_SIZE];
	size_t length;
	uint64_t address;
	size_t width; /* of a word */
};

/* Word number index, or 0 past the end. */
static uint64_t word(const struct stack *stack, size_t index)
{
	uint64_t value = 0;

	if ((index + 1) * stack->width <= stack->length)
		memcpy(&value, stack->bytes + index * stack->width, stack->width); /* little-endian */
	return value;
}

/* What lies at this address: mostly in what was read already, which reaches to the stack's end. */
static size_t read_at(const struct stack *stack, pid_t tid, uint64_t address, void *to, size_t size)
{
	const uint64_t offset = address - stack->address;

	if (address < stack->address || offset >= stack->length || stack->length == STACK_SIZE)
		return memory_read_fresh(tid, address, to, size);
	if (size > stack->length - offset)
		size = stack->length - offset;
	memcpy(to, stack->bytes + offset, size);
	return size;
}

static uint64_t find_execfn(const struct stack *stack)
{
	size_t words = stack->length / stack->width, i = 1 + (size_t)word(stack, 0) + 1;

	while (i < words && word(stack, i))
		i++;
	for (i++; i + 1 < words && word(stack, i) != AT_NULL; i += 2)
		if (word(stack, i) == AT_EXECFN)
			return word(stack, i + 1);
	return 0;
}

/* The length of count strings, their NULs included; the last may be cut off at the end. */
static size_t length_of_strings(const char *strings, size_t size, uint64_t count)
{
	size_t at = 0;

	while (count-- && at < size) {
		const char *end = memchr(strings + at, '\0', size - at);

		at = end ? (size_t)(end - strings) + 1 : size;
	}
	return at;
}

size_t stack_describe(pid_t tid, char *buffer, size_t size)
{
	struct stack stack;
	struct registers regs;
	char path[PATH_SIZE];
	const char *name;
	size_t at, name_length, path_length;

	if (size < 2 * PATH_SIZE || registers_read(tid, &regs) < 0)
		return 0;
	stack.width = registers_compat(&regs) ? 4 : 8;
	stack.address = registers_stack(&regs);
	stack.length = memory_read_fresh(tid, stack.address, stack.bytes, sizeof(stack.bytes));
	path_length = read_at(&stack, tid, find_execfn(&stack), path, sizeof(path) - 1);
	path[path_length] = '\0';
	/* execveat(2) of an fd has no path of its own; /proc knows the program's name then. */
	if (!path[0] || strncmp(path, "/dev/fd/", 8) == 0)
		return 0;
	name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	name_length = strnlen(name, NAME_LENGTH);
	memcpy(buffer, name, name_length);
	buffer[name_length] = '\0';
	at = name_length + 1;
	path_length = strlen(path) + 1;
	memcpy(buffer + at, path, path_length);
	at += path_length;
	size = read_at(&stack, tid, word(&stack, 1), buffer + at, size - at);
	return at + length_of_strings(buffer + at, size, word(&stack, 0));
}
