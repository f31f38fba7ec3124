/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fast/image/maps.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "machine/proc_path.h"

static FILE *open_maps(pid_t pid)
{
	char path[PROC_PATH];

	return proc_path(path, pid, "maps") == 0 ? fopen(path, "re") : NULL;
}

/* The next mapping, in the order of addresses. What of a path does not fit is left out, for it may look like a line of
 * its own. */
static bool next(FILE *maps, uint64_t *begin, uint64_t *end)
{
	char line[512];

	while (fgets(line, sizeof(line), maps)) {
		int last = strchr(line, '\n') ? '\n' : 0;

		while (last != '\n' && last != EOF)
			last = getc(maps);
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", begin, end) == 2)
			return true;
	}
	return false;
}

/* struct procmap_query of linux/fs.h, since Linux 6.11. */
struct query {
	uint64_t size;
	uint64_t flags;
	uint64_t address;
	uint64_t begin; /* of the mapping that was found */
	uint64_t end;
	uint64_t of_no_interest[4];
	uint32_t device[2];
	uint32_t name_sizes[2];
	uint64_t names[2];
};

#define PROCMAP_QUERY _IOWR('f', 17, struct query)
#define COVERING_OR_NEXT_VMA 0x10

/* The first mapping that ends above this address, without the text of all of them. 1; 0: there is none; -errno: this
 * kernel does not tell. */
static int ask(FILE *maps, uint64_t address, struct query *query)
{
	*query = (struct query){.size = sizeof(*query), .flags = COVERING_OR_NEXT_VMA, .address = address};
	if (ioctl(fileno(maps), PROCMAP_QUERY, query) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

bool mapped_within(pid_t pid, uint64_t begin, uint64_t end)
{
	FILE *maps = open_maps(pid);
	uint64_t from, to;
	struct query query;
	bool found = false;
	int answer;

	if (!maps)
		return true;
	answer = ask(maps, begin, &query);
	if (answer >= 0) {
		fclose(maps);
		return answer && query.begin < end;
	}
	/* Nothing behind the range is read: of most programs that is all. */
	while (!found && next(maps, &from, &to) && from < end)
		found = to > begin;
	fclose(maps);
	return found;
}

bool mapped_gap(pid_t pid, uint64_t begin, uint64_t end, uint64_t length)
{
	FILE *maps = open_maps(pid);
	uint64_t from, to, free_from = begin;
	bool found = false;

	if (!maps)
		return false;
	while (!found && free_from < end && next(maps, &from, &to)) {
		uint64_t until = from < end ? from : end;

		found = until > free_from && until - free_from >= length;
		free_from = to > free_from ? to : free_from;
	}
	fclose(maps);
	return found || (free_from < end && end - free_from >= length);
}

static bool parse_file(char *line, uint64_t address, struct mapped_file *file)
{
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %*x:%*x %*u %n", &file->begin, &file->end,
		   &file->offset, &path) != 3 ||
	    address < file->begin || address >= file->end || !path)
		return false;
	line[strcspn(line, "\n")] = '\0';
	file->path = strdup(line + path);
	return file->path != NULL;
}

bool mapped_file(pid_t pid, uint64_t address, struct mapped_file *file)
{
	FILE *maps = open_maps(pid);
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (maps && !found && getline(&line, &size, maps) > 0)
		found = parse_file(line, address, file);
	if (maps)
		fclose(maps);
	free(line);
	return found;
}

uint64_t mapped_vdso(pid_t pid)
{
	char path[PROC_PATH];
	Elf64_auxv_t entry;
	uint64_t found = 0;
	FILE *vector;

	vector = proc_path(path, pid, "auxv") == 0 ? fopen(path, "re") : NULL;
	while (vector && !found && fread(&entry, sizeof(entry), 1, vector) == 1)
		if (entry.a_type == AT_SYSINFO_EHDR)
			found = entry.a_un.a_val;
	if (vector)
		fclose(vector);
	return found;
}
