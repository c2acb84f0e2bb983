// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of morselfs beside files of tmpfs: mapped and read page by page, opened and
 * mapped alone, read and written by system calls.
 */
#include "filesystem.h"
#include "memory.h"

#include <fcntl.h>
#include <unistd.h>

#define BLOCK MIB
#define LARGEST (512 * GIB) /* a file with 4-level paging; sparse */

struct file {
	const struct filesystem *fs;
	char *path;
	int fd;
	size_t size;
};

static char block[BLOCK]; /* what is written, and where it is read to */

/* A hole as a whole. */
static struct file file_new(const struct filesystem *fs, const char *name,
			    size_t size)
{
	struct file f = { fs, filesystem_path(fs, name), -1, size };

	f.fd = open(f.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f.fd < 0 || ftruncate(f.fd, size))
		die("%s: %s", f.path, strerror(errno));
	return f;
}

static void file_gone(struct file *f)
{
	close(f->fd);
	unlink(f->path);
	free(f->path);
}

static void file_read(int fd, size_t size)
{
	for (size_t at = 0; at < size; at += BLOCK)
		if (pread(fd, block, BLOCK, at) != BLOCK)
			die("read: %s", strerror(errno));
}

static void file_write(int fd, size_t size)
{
	size_t step = size < BLOCK ? size : BLOCK;

	for (size_t at = 0; at < size; at += step)
		if (pwrite(fd, block, step, at) != (ssize_t)step)
			die("write: %s", strerror(errno));
}

static struct file file_filled(const struct filesystem *fs, const char *name,
			       size_t size)
{
	struct file f = file_new(fs, name, size);

	file_write(f.fd, size);
	return f;
}

static char *file_map(int fd, size_t size, int flags)
{
	char *p = mmap(NULL, size, PROT_READ, MAP_SHARED | flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return p;
}

static void file_unmap(char *p, size_t size)
{
	if (munmap(p, size))
		die("munmap: %s", strerror(errno));
}

/* One way to use a file. */
struct use {
	const struct file *file;
	int flags; /* more of mmap */
	bool touch;
	struct series *map, *read, *unmap;
};

static double map_all(void *with)
{
	const struct use *u = with;
	size_t size = u->file->size;
	double start = seconds(), mapped, read, end;
	char *p = file_map(u->file->fd, size, u->flags);

	mapped = seconds();
	memory_read(p, size, PAGE);
	read = seconds();
	file_unmap(p, size);
	end = seconds();
	series_add(u->map, mapped - start);
	series_add(u->read, read - mapped);
	series_add(u->unmap, end - read);
	return end - start;
}

/* The mapping holds the file, as with most who map one. */
static double open_and_map(void *with)
{
	const struct use *u = with;
	double start = seconds();
	int fd = open(u->file->path, O_RDONLY | O_CLOEXEC);
	char *p = file_map(fd, u->file->size, 0);

	close(fd);
	if (u->touch)
		memory_read(p, PAGE, PAGE);
	file_unmap(p, u->file->size);
	return seconds() - start;
}

static double read_all(void *with)
{
	const struct file *f = with;
	double start = seconds();

	file_read(f->fd, f->size);
	return seconds() - start;
}

static double write_all(void *with)
{
	const struct file *f = with;
	double start = seconds();

	file_write(f->fd, f->size);
	return seconds() - start;
}

/* Only what is written counts, not that it goes. */
static double write_new(void *with)
{
	const struct file *f = with;
	char *path = filesystem_path(f->fs, "new");
	double start = seconds();
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	file_write(fd, f->size);
	close(fd);
	start = seconds() - start;
	unlink(path);
	free(path);
	return start;
}

/* A page, half a table of them, for which there is no attaching, a table, more. */
enum { SMALL, HALF, TABLE, LARGE, SPARSE, SIZES };

static void sized_files(const struct options *o, const struct filesystem *fs,
			struct file files[SIZES])
{
	files[SMALL] = file_filled(fs, "small", 4 * KIB);
	files[HALF] = file_filled(fs, "half", MIB);
	files[TABLE] = file_filled(fs, "table", 2 * MIB);
	files[LARGE] = file_filled(fs, "large", o->quick ? 16 * MIB : GIB);
	files[SPARSE] = file_new(fs, "sparse", LARGEST);
}

static struct step map_step(struct use *u, const struct file *f,
			    const char *name, int flags)
{
	*u = (struct use){
		.file = f,
		.flags = flags,
		.map = series("map", "s", name, "file bytes", f->size),
		.read = series("touch", "s", name, "file bytes", f->size),
		.unmap = series("unmap", "s", name, "file bytes", f->size),
	};
	return (struct step){
		map_all,
		u,
		series("map + touch + unmap", "s", name, "file bytes", f->size),
	};
}

static void map_whole(const struct options *o, struct file files[][SIZES],
		      int n_fs)
{
	struct use uses[2 * FILESYSTEMS * SPARSE];
	struct step steps[ARRAY_SIZE(uses)];
	int n = 0;

	for (int i = 0; i < n_fs * SPARSE; i++) {
		const struct file *f = &files[i / SPARSE][i % SPARSE];

		steps[n] = map_step(&uses[n], f, f->fs->name, 0);
		n++;
		if (strcmp(f->fs->name, "tmpfs"))
			continue;
		steps[n] = map_step(&uses[n], f, "tmpfs, MAP_POPULATE",
				    MAP_POPULATE);
		n++;
	}
	rounds_run(steps, n, o->rounds);
}

static void map_alone(const struct options *o, struct file files[][SIZES],
		      int n_fs)
{
	static const char *const metrics[] = {
		"open + map + close + unmap",
		"open + map + close + touch of one page + unmap",
	};
	struct use uses[FILESYSTEMS * SIZES * ARRAY_SIZE(metrics)];
	struct step steps[ARRAY_SIZE(uses)];
	int n = 0;

	for (int touch = 0; touch < 2; touch++)
		for (int i = 0; i < n_fs * SIZES; i++) {
			const struct file *f = &files[i / SIZES][i % SIZES];

			uses[n] = (struct use){ .file = f, .touch = touch };
			steps[n] = (struct step){
				open_and_map,
				&uses[n],
				series(metrics[touch], "s", f->fs->name,
				       "file bytes", f->size),
			};
			n++;
		}
	/* They are fast and vary. */
	rounds_run(steps, n, o->quick ? o->rounds : 30 * o->rounds);
}

static void map_files(const struct options *o, const struct filesystem *fs,
		      int n_fs)
{
	struct file files[FILESYSTEMS][SIZES];

	for (int i = 0; i < n_fs; i++)
		sized_files(o, &fs[i], files[i]);
	map_whole(o, files, n_fs);
	map_alone(o, files, n_fs);
	for (int i = 0; i < n_fs * SIZES; i++)
		file_gone(&files[i / SIZES][i % SIZES]);
}

static void read_and_write(const struct options *o, const struct filesystem *fs,
			   int n_fs)
{
	static const struct {
		const char *metric;
		double (*run)(void *);
		bool sparse;
	} ways[] = {
		{ "read of a file", read_all, false },
		{ "write over a file", write_all, false },
		{ "write of a new file", write_new, false },
		{ "read of a sparse file", read_all, true },
	};
	struct step steps[FILESYSTEMS * ARRAY_SIZE(ways)];
	struct file filled[FILESYSTEMS], sparse[FILESYSTEMS];
	size_t size = o->quick ? 4 * MIB : 256 * MIB;
	int n = 0;

	result_option("bytes read and written", size);
	for (int i = 0; i < n_fs; i++) {
		filled[i] = file_filled(&fs[i], "filled", size);
		sparse[i] = file_new(&fs[i], "hole", size);
	}
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++)
		for (int i = 0; i < n_fs; i++)
			steps[n++] = (struct step){
				ways[w].run,
				ways[w].sparse ? &sparse[i] : &filled[i],
				series(ways[w].metric, "s", fs[i].name, NULL,
				       0),
			};
	rounds_run(steps, n, o->rounds);
	for (int i = 0; i < n_fs; i++) {
		file_gone(&filled[i]);
		file_gone(&sparse[i]);
	}
}

static void run(const struct options *o)
{
	struct filesystem fs[FILESYSTEMS];
	int n = filesystems(o, fs);

	if (!n)
		die("files needs a mounted morselfs or tmpfs (--morselfs, --tmpfs)");
	memset(block, 1, sizeof(block));
	map_files(o, fs, n);
	read_and_write(o, fs, n);
}

const struct benchmark benchmark_files = {
	.name = "files",
	.what = "files of morselfs and tmpfs, mapped, opened, read and written",
	.run = run,
	.rounds = 11,
};
