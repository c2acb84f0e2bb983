// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has a morsel mapped: what /proc/PID/maps has of its inode, in all processes
 * that the caller may look into.  The kernel tells nobody more than that.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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

/*
 * Whether what is mapped in the process was found in another one already, with which
 * it shares its address space.  Where the kernel does not tell, it was not.
 */
static bool shares_known(int pid, const struct mappings *mappings)
{
	int known = pid;

	for (size_t i = 0; i < mappings->count; i++) {
		if (mappings->all[i].pid == known)
			continue;
		known = mappings->all[i].pid;
		if (!syscall(SYS_kcmp, pid, known, KCMP_VM, 0, 0))
			return true;
	}
	return false;
}

/* The length of a line, 0 at the end, or a negative errno. */
static ssize_t next_line(FILE *f, char **line, size_t *room)
{
	ssize_t n = getline(line, room, f);

	if (n >= 0)
		return n;
	return feof(f) ? 0 : -errno;
}

static int read_maps(FILE *maps, int pid, const struct stat *st,
		     struct mappings *mappings)
{
	struct mapping m = { .pid = pid };
	bool found = false;
	char *line = NULL;
	size_t room = 0;
	ssize_t n = 0;
	int ret = 0;

	while (!ret && (n = next_line(maps, &line, &room)) > 0) {
		if (!parse_line(line, st, &m))
			continue;
		if (!found && shares_known(pid, mappings))
			break;
		if (!found)
			read_command(pid, m.command, sizeof(m.command));
		found = true;
		m.level = level_of(&m);
		ret = add(mappings, &m);
	}
	free(line);
	return n < 0 ? n : ret;
}

static int find_in(int pid, const struct stat *st, struct mappings *mappings)
{
	FILE *maps = open_of(pid, "maps");
	int ret = maps ? read_maps(maps, pid, st, mappings) : -errno;

	if (maps)
		fclose(maps);
	switch (ret) {
	case -EACCES:
	case -EPERM:
		mappings->unread++;
		return 0;
	case -ENOENT:
	case -ESRCH:
		/* Gone meanwhile is not hidden. */
		return 0;
	default:
		return ret;
	}
}

/* The next process in @proc, 0 at the end, or a negative errno. */
static int next_process(DIR *proc)
{
	const struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(proc);
		if (!entry)
			return -errno;
	} while (!isdigit((unsigned char)entry->d_name[0]));
	return atoi(entry->d_name);
}

int mappings_find(int fd, struct mappings *mappings)
{
	struct stat st;
	int pid = 0, ret = 0;
	DIR *proc;

	*mappings = (struct mappings){ 0 };
	if (fstat(fd, &st))
		return -errno;
	proc = opendir("/proc");
	if (!proc)
		return -errno;
	while (!ret && (pid = next_process(proc)) > 0)
		ret = find_in(pid, &st, mappings);
	closedir(proc);
	return pid < 0 ? pid : ret;
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
