// SPDX-License-Identifier: GPL-2.0-only
/*
 * The medium of a pool, mapped, with the frames that are free as its source.
 *
 * Who looks maps it privately and cannot write; only to see what mounting would make
 * of an unfinished pool is the mapping made writable, and what is written then is a
 * copy in memory.  Who makes a pool writes back by msync() what each store relies on,
 * and at last the magic number.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "medium.h"
#include "pool.h"

/* The number of the first frame in a pool that no machine has had yet. */
#define BASE		(1ull << 20)
/* At either end, where others leave their signatures. */
#define SIGNATURES	(128u << 10)

u64 *morsel_arena;

static struct morsel_pool *using;
static const char *using_name;
static uintptr_t using_at;
static int exit_status = EXIT_FAILURE;
static int sync_error;

static void say(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

/* Of a device a block that is bad, of a file maybe that there is no room for it. */
static void on_sigbus(int signal, siginfo_t *info, void *context)
{
	u64 frame = ((uintptr_t)info->si_addr - using_at) / MORSEL_PAGE_SIZE;
	char text[21], *digits = &text[sizeof(text) - 1];

	(void)signal, (void)context;
	*digits = 0;
	do
		*--digits = '0' + frame % 10;
	while (frame /= 10);
	say(using_name);
	say(": frame ");
	say(digits);
	say(" cannot be accessed; a bad block, or no space\n");
	_exit(exit_status);
}

void medium_exit_status(int status)
{
	exit_status = status;
}

static int size_of(struct medium *medium, const struct stat *st)
{
	medium->bytes = st->st_size;
	if (S_ISBLK(st->st_mode) && ioctl(medium->fd, BLKGETSIZE64, &medium->bytes))
		return -errno;
	medium->frames = medium->bytes / MORSEL_PAGE_SIZE;
	return 0;
}

int medium_open(struct medium *medium, const char *name, bool write)
{
	int access = (write ? O_RDWR : O_RDONLY) | O_CLOEXEC, ret;
	struct stat st;

	*medium = (struct medium){ .name = name, .fd = -1 };
	if (stat(name, &st))
		return -errno;
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return -ENODEV;
	medium->fd = open(name, access | (S_ISBLK(st.st_mode) ? O_EXCL : 0));
	if (medium->fd < 0 && errno == EBUSY && !write) {
		medium->busy = true;
		medium->fd = open(name, access);
	}
	if (medium->fd < 0)
		return -errno;
	ret = fstat(medium->fd, &st) ? -errno : size_of(medium, &st);
	if (ret)
		close(medium->fd);
	return ret;
}

static int take(u64 *frame)
{
	if (!morsel_pool_frames_alloc(&using->frames, 0, frame, 1))
		return -ENOSPC;
	*frame += using->base;
	memset(morsel_frame_table(*frame), 0, MORSEL_PAGE_SIZE);
	morsel_pool_persist(using, morsel_frame_table(*frame), MORSEL_PAGE_SIZE);
	return 0;
}

static int table_alloc(struct morsel_source *source, unsigned int level, u64 *frame)
{
	(void)source, (void)level;
	return take(frame);
}

static int pages_alloc(struct morsel_source *source, u64 index, void *hint, u64 *frames,
		       unsigned int count)
{
	(void)source, (void)index, (void)hint, (void)count;
	return take(frames) ? -ENOSPC : 1;
}

static void page_free(struct morsel_source *source, u64 frame)
{
	(void)source;
	morsel_pool_frames_free(&using->frames, frame - using->base);
}

static void table_free(struct morsel_source *source, unsigned int level, u64 frame)
{
	(void)level;
	page_free(source, frame);
}

static int fill_begin(struct morsel_source *source, u64 first, u64 *last)
{
	(void)source, (void)first, (void)last;
	return 0;
}

static void nothing(struct morsel_source *source)
{
	(void)source;
}

static void nothing_of_table(struct morsel_source *source, u64 table)
{
	(void)source, (void)table;
}

static const struct morsel_source_ops ops = {
	.table_alloc = table_alloc,
	.table_free = table_free,
	.pages_alloc = pages_alloc,
	.page_free = page_free,
	.fill_begin = fill_begin,
	.fill_end = nothing,
	.leaves_lock = nothing_of_table,
	.leaves_unlock = nothing_of_table,
};

static struct morsel_source source = {
	.ops = &ops,
	.table_flags = MORSEL_POOL_TABLE_FLAGS,
	.leaf_flags = MORSEL_POOL_LEAF_FLAGS,
};

/* What nothing may follow that is not written back; the first failure is kept. */
static void write_back(const void *p, size_t bytes)
{
	uintptr_t from = (uintptr_t)p & -(uintptr_t)MORSEL_PAGE_SIZE;

	if (msync((void *)from, (uintptr_t)p + bytes - from, MS_SYNC) && !sync_error)
		sync_error = -errno;
}

static void *map(const struct medium *medium, int rights, int flags)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	void *at = mmap(NULL, medium->frames * MORSEL_PAGE_SIZE, rights, flags, medium->fd, 0);

	using_name = medium->name;
	using_at = (uintptr_t)at;
	sigaction(SIGBUS, &action, NULL);
	return at == MAP_FAILED ? NULL : at;
}

/* Frame @base of the machine is the first of the mapping. */
static void begin(struct morsel_pool *pool, void *at, u64 base)
{
	morsel_arena = (u64 *)((uintptr_t)at - base * MORSEL_PAGE_SIZE);
	using = pool;
	morsel_pool_init(pool, base, &source);
}

/* Where the pool was last, as far as it says so. */
static u64 base_of(const struct morsel_pool_super *super)
{
	u64 base = super->base == MORSEL_POOL_NOWHERE ? super->moving : super->base;

	return base && base < MORSEL_POOL_NOWHERE ? base : BASE;
}

static void take_super(struct medium_found *found, const struct morsel_pool_super *super)
{
	found->super = true;
	found->version = super->version;
	memcpy(found->uuid, super->uuid, sizeof(found->uuid));
	found->frames = super->frames;
	found->features = super->features;
	found->base = super->base;
}

static void take_found(struct medium_found *found, const struct morsel_pool_found *walk)
{
	found->inodes = walk->inodes;
	found->names = walk->names;
	found->pages = walk->pages;
	found->tables = walk->tables;
	found->why = walk->why;
	found->inode = walk->inode;
}

/* One look at everything; each needs bits of its own. */
static int walk(struct morsel_pool *pool, bool fix, struct morsel_pool_found *result,
		struct medium_found *found)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int err = morsel_pool_frames_init(&pool->frames, pool->super->frames, 1);

	if (err)
		return err;
	err = morsel_pool_recover(pool, fix, processors > 1 ? processors : 1, result);
	take_found(found, result);
	found->left = err ? 0 : morsel_pool_frames_left(&pool->frames);
	morsel_pool_frames_exit(&pool->frames);
	return err;
}

static int look(struct medium *medium, struct morsel_pool *pool, struct medium_found *found)
{
	size_t bytes = medium->frames * MORSEL_PAGE_SIZE;
	struct morsel_pool_found result;
	int err;

	if (morsel_pool_moved(pool)) {
		found->moving = true;
		if (mprotect(pool->super, bytes, PROT_READ | PROT_WRITE))
			return -errno;
		err = morsel_pool_frames_init(&pool->frames, pool->super->frames, 1);
		if (err)
			return err;
		err = morsel_pool_move(pool, &found->why);
		morsel_pool_frames_exit(&pool->frames);
		if (err)
			return err;
	}
	err = walk(pool, false, &result, found);
	if (err)
		return err;
	found->finished = result.finished;
	found->cut = result.cut;
	found->cleared = result.cleared;
	if (found->finished || found->cut || found->cleared) {
		found->state = MEDIUM_UNFINISHED;
		if (mprotect(pool->super, bytes, PROT_READ | PROT_WRITE))
			return -errno;
		return walk(pool, true, &result, found);
	}
	found->state = found->moving ? MEDIUM_UNFINISHED : MEDIUM_CLEAN;
	return 0;
}

int medium_look(struct medium *medium, struct medium_found *found)
{
	struct morsel_pool pool = { 0 };
	void *at;
	int err;

	*found = (struct medium_found){ .why = "not a pool" };
	if (medium->frames < MORSEL_POOL_FIRST)
		return 0;
	at = map(medium, PROT_READ, MAP_PRIVATE | MAP_NORESERVE);
	if (!at)
		return -errno;
	begin(&pool, at, base_of(at));
	err = morsel_pool_check_super(&pool, medium->frames, &found->why);
	if (err) {
		if (pool.super->magic == MORSEL_POOL_MAGIC)
			found->state = err == -EOPNOTSUPP ? MEDIUM_OTHER : MEDIUM_DAMAGED;
		err = 0;
	} else {
		take_super(found, at);
		err = look(medium, &pool, found);
		if (err == -EUCLEAN || (err && found->why)) {
			found->state = MEDIUM_DAMAGED;
			err = 0;
		}
	}
	munmap(at, medium->frames * MORSEL_PAGE_SIZE);
	return err;
}

static bool any(const struct medium *medium, uint64_t from, uint64_t bytes)
{
	static unsigned char buffer[SIGNATURES];
	ssize_t got = pread(medium->fd, buffer, bytes, from);

	/* What cannot be read may be anything. */
	if (got < (ssize_t)bytes)
		return true;
	return bytes && (buffer[0] || memcmp(buffer, buffer + 1, bytes - 1));
}

bool medium_occupied(const struct medium *medium)
{
	uint64_t bytes = min(medium->bytes, SIGNATURES);

	return any(medium, 0, bytes) || any(medium, medium->bytes - bytes, bytes);
}

bool medium_is_pool(const struct medium *medium)
{
	u64 magic;

	return pread(medium->fd, &magic, sizeof(magic), 0) == sizeof(magic) &&
	       magic == MORSEL_POOL_MAGIC;
}

static int zero(const struct medium *medium, uint64_t from, uint64_t bytes)
{
	static const unsigned char zeroes[SIGNATURES];
	ssize_t put = pwrite(medium->fd, zeroes, bytes, from);

	if (put < 0)
		return -errno;
	return put < (ssize_t)bytes ? -ENOSPC : 0;
}

int medium_wipe(const struct medium *medium)
{
	uint64_t bytes = min(medium->bytes, SIGNATURES);
	int err = zero(medium, 0, sizeof(u64));

	if (!err && fsync(medium->fd))
		err = -errno;
	if (!err)
		err = zero(medium, 0, bytes);
	if (!err)
		err = zero(medium, medium->bytes - bytes, bytes);
	if (!err && fsync(medium->fd))
		err = -errno;
	return err;
}

static struct morsel_pool_attr attr_of(const struct medium_root *root)
{
	struct morsel_pool_attr attr = {
		.mode = S_IFDIR | root->mode,
		.uid = root->uid,
		.gid = root->gid,
	};
	struct timespec now;
	u32 generation = 0;
	int i;

	/* As many bits of it as kernels keep. */
	(void)!getrandom(&generation, sizeof(generation), 0);
	attr.generation = generation;
	clock_gettime(CLOCK_REALTIME, &now);
	for (i = 0; i < 4; i++) {
		attr.seconds[i] = now.tv_sec;
		attr.nanoseconds[i] = now.tv_nsec;
	}
	return attr;
}

int medium_format(struct medium *medium, const uint8_t *uuid, const struct medium_root *root)
{
	struct morsel_pool_attr attr = attr_of(root);
	struct morsel_pool pool = { 0 };
	void *at = map(medium, PROT_READ | PROT_WRITE, MAP_SHARED);
	int err;

	if (!at)
		return -errno;
	err = morsel_pool_frames_init(&pool.frames, medium->frames, 1);
	if (!err) {
		source.persist = write_back;
		begin(&pool, at, BASE);
		err = morsel_pool_format(&pool, medium->frames, uuid, &attr);
		morsel_pool_frames_exit(&pool.frames);
	}
	/* Not all of it is there: then it is no pool. */
	if (!err && sync_error) {
		pool.super->magic = 0;
		err = sync_error;
	}
	munmap(at, medium->frames * MORSEL_PAGE_SIZE);
	if (fsync(medium->fd) && !err)
		err = -errno;
	return err;
}

void medium_uuid(char text[MEDIUM_UUID], const uint8_t *uuid)
{
	int i, at = 0;

	for (i = 0; i < 16; i++)
		at += sprintf(text + at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			      uuid[i]);
}
