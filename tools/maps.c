// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has a morsel mapped: what /proc/PID/maps has of its inode, in all processes
 * that the caller may look into.  The kernel tells nobody more than that.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tool.h"

static FILE *open_of(int pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return fopen(path, "re");
}

/*
 * The level of the largest table in the mapping: one that lies in it as a whole,
 * and is aligned alike in the file and in the address space.
 */
static unsigned int level_of(const struct mapping *m)
{
	unsigned int level = MORSEL_ORDER_MAX;

	/* What is the process's own, or nobody's, is in no shared table. */
	if (m->rights[3] != 's' || !strncmp(m->rights, "---", 3))
		return 0;
	for (; level; level--) {
		uint64_t size = morsel_size(level);
		uint64_t first = (m->start + size - 1) & ~(size - 1);

		if (!((m->start - m->offset) & (size - 1)) && first < m->end &&
		    size <= m->end - first)
			break;
	}
	return level;
}

/* Whether a line of a maps file is about the inode, and what it says then. */
static bool parse_line(const char *line, const struct stat *st,
		       struct mapping *m)
{
	unsigned int major, minor;
	uint64_t ino;

	return sscanf(line,
		      "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64,
		      &m->start, &m->end, m->rights, &m->offset, &major, &minor,
		      &ino) == 7 &&
	       ino == st->st_ino && makedev(major, minor) == st->st_dev;
}

/* What a terminal or JSON could take for something else becomes a question mark. */
static void read_command(int pid, char *command, size_t len)
{
	FILE *f = open_of(pid, "comm");
	char raw[32];
	size_t n = f ? fread(raw, 1, sizeof(raw) - 1, f) : 0;

	if (f)
		fclose(f);
	if (n && raw[n - 1] == '\n')
		n--;
	raw[n] = 0;
	printable(command, len, raw, "\"\\");
}

static int add(struct mappings *mappings, const struct mapping *m)
{
	struct mapping *more =
		reallocarray(mappings->all, mappings->count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	mappings->all = more;
	more[mappings->count++] = *m;
	return 0;
}

static int find_in(int pid, const struct stat *st, struct mappings *mappings)
{
	FILE *maps = open_of(pid, "maps");
	struct mapping m = { .pid = pid };
	char *line = NULL;
	size_t room = 0;
	int ret = 0;

	if (!maps) {
		/* Gone meanwhile is not hidden. */
		mappings->unread += errno != ENOENT && errno != ESRCH;
		return 0;
	}
	while (!ret && getline(&line, &room, maps) > 0) {
		if (!parse_line(line, st, &m))
			continue;
		if (!m.command[0])
			read_command(pid, m.command, sizeof(m.command));
		m.level = level_of(&m);
		ret = add(mappings, &m);
	}
	free(line);
	fclose(maps);
	return ret;
}

int mappings_find(int fd, struct mappings *mappings)
{
	const struct dirent *entry;
	struct stat st;
	int ret = 0;
	DIR *proc;

	*mappings = (struct mappings){ 0 };
	if (fstat(fd, &st))
		return -errno;
	proc = opendir("/proc");
	if (!proc)
		return -errno;
	while (!ret && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			ret = find_in(atoi(entry->d_name), &st, mappings);
	closedir(proc);
	return ret;
}

static void print_mapping(const struct mapping *m)
{
	char offset[24], table[24], level[40] = "single pages";
	char range[40];

	exact_size(offset, sizeof(offset), m->offset);
	snprintf(range, sizeof(range), "%" PRIx64 "-%" PRIx64, m->start,
		 m->end);
	if (m->level) {
		exact_size(table, sizeof(table), morsel_size(m->level));
		snprintf(level, sizeof(level), "level %u (%s)", m->level,
			 table);
	}
	printf("%7d %-15s %-33s %8s %-6s  %s\n", m->pid, m->command, range,
	       offset, m->rights, level);
}

void mappings_print(const struct mappings *mappings,
		    const struct morsel_info *info)
{
	printf("mappings %llu, attached entries %llu\n",
	       (unsigned long long)info->mappings,
	       (unsigned long long)info->attachments);
	if (mappings->count)
		printf("%7s %-15s %-33s %8s %-6s  %s\n", "PID", "COMMAND",
		       "ADDRESSES", "OFFSET", "RIGHTS", "ATTACHED AT");
	for (size_t i = 0; i < mappings->count; i++)
		print_mapping(&mappings->all[i]);
	if (info->mappings > mappings->count)
		printf("mappings not to be seen here: %llu\n",
		       (unsigned long long)(info->mappings - mappings->count));
	if (mappings->unread)
		printf("processes that could not be read: %zu\n",
		       mappings->unread);
}

void mappings_print_json(const struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct mapping *m = &mappings->all[i];

		printf("%s\n  {\"pid\": %d, \"command\": \"%s\", ",
		       i ? "," : "", m->pid, m->command);
		printf("\"start\": \"0x%" PRIx64 "\", \"end\": \"0x%" PRIx64
		       "\", ",
		       m->start, m->end);
		printf("\"offset\": %" PRIu64
		       ", \"rights\": \"%s\", \"level\": %u}",
		       m->offset, m->rights, m->level);
	}
}
