// SPDX-License-Identifier: GPL-2.0-only
/* disk.c - files and directories of a pool, as a file system uses it */
#include <stdio.h>

#include "disk.h"

#define DIRECTORY	0040000u
#define MOST_NAMES	64u
#define NOT_FOUND	(~0ull)

static void die(const char *what, const char *why)
{
	fprintf(stderr, "disk: %s: %s\n", what, why);
	abort();
}

static void open_pool(struct disk *disk)
{
	morsel_pool_frames_init(&disk->pool.frames, MEDIUM_FRAMES, 1);
	morsel_pool_init(&disk->pool, medium_base, &medium_source);
	medium_use(&disk->pool);
}

void disk_open(struct disk *disk)
{
	struct morsel_pool_found found;
	const char *why;

	open_pool(disk);
	if (morsel_pool_check_super(&disk->pool, MEDIUM_FRAMES, &why))
		die("super block", why);
	if (morsel_pool_move(&disk->pool, &why))
		die("move", why);
	if (morsel_pool_recover(&disk->pool, true, 1, &found))
		die("recovery", found.why);
}

int disk_format(struct disk *disk)
{
	static const struct morsel_pool_attr root = { .mode = DIRECTORY | 0755 };
	static const u8 uuid[16] = "a pool of tests";

	open_pool(disk);
	return morsel_pool_format(&disk->pool, MEDIUM_FRAMES, uuid, &root);
}

void disk_close(struct disk *disk)
{
	morsel_pool_frames_exit(&disk->pool.frames);
}

static struct morsel_tree content(struct disk *disk, struct morsel_pool_inode *inode)
{
	struct morsel_tree tree;

	morsel_tree_open(&tree, &medium_source, &inode->top);
	return tree;
}

static struct morsel_tree names_in(struct disk *disk, u64 directory)
{
	return content(disk, morsel_pool_inode(&disk->pool, directory));
}

/* Position of a name in a directory. */
static u64 find(struct disk *disk, u64 directory, const char *name)
{
	struct morsel_tree names = names_in(disk, directory);
	u64 slot;

	for (slot = 0; slot < MOST_NAMES; slot++) {
		struct morsel_pool_name *entry = morsel_pool_name(&names, slot);

		if (entry && entry->inode && entry->length == strlen(name) &&
		    !memcmp(entry->name, name, entry->length))
			return slot;
	}
	return NOT_FOUND;
}

static u64 find_free(struct disk *disk, u64 directory)
{
	struct morsel_tree names = names_in(disk, directory);
	u64 slot;

	for (slot = 0; slot < MOST_NAMES; slot++) {
		struct morsel_pool_name *entry = morsel_pool_name(&names, slot);

		if (!entry || !entry->inode)
			return slot;
	}
	return NOT_FOUND;
}

/* Names that lead to an inode. */
static unsigned int links(struct disk *disk, u64 directory, u64 inode)
{
	struct morsel_tree names = names_in(disk, directory);
	unsigned int n = 0;
	u64 slot;

	for (slot = 0; slot < MOST_NAMES; slot++) {
		struct morsel_pool_name *entry = morsel_pool_name(&names, slot);
		struct morsel_pool_attr attr;

		if (!entry || !entry->inode)
			continue;
		n += entry->inode == inode;
		morsel_pool_attr_get(morsel_pool_inode(&disk->pool, entry->inode), &attr);
		if (attr.mode & DIRECTORY)
			n += links(disk, entry->inode, inode);
	}
	return n;
}

/* A number that no name leads to. */
static u64 unused(struct disk *disk)
{
	u64 number = MORSEL_POOL_ROOT + 1;

	while (links(disk, MORSEL_POOL_ROOT, number))
		number++;
	return number;
}

/* The directory of a path, and what follows it. */
static u64 directory_of(struct disk *disk, const char *path, const char **name)
{
	const char *slash = strchr(path, '/');
	struct morsel_tree root = names_in(disk, MORSEL_POOL_ROOT);
	char first[64];
	u64 slot;

	*name = path;
	if (!slash)
		return MORSEL_POOL_ROOT;
	snprintf(first, sizeof(first), "%.*s", (int)(slash - path), path);
	*name = slash + 1;
	slot = find(disk, MORSEL_POOL_ROOT, first);
	if (slot == NOT_FOUND)
		die(path, "no such directory");
	return morsel_pool_name(&root, slot)->inode;
}

struct entry {
	struct morsel_pool_name *name;
	u64 place;
};

/* The entry of a path; without a name: none. */
static struct entry entry_of(struct disk *disk, const char *path)
{
	const char *name;
	u64 directory = directory_of(disk, path, &name);
	u64 slot = find(disk, directory, name);
	struct morsel_tree names = names_in(disk, directory);

	if (slot == NOT_FOUND)
		return (struct entry){ 0 };
	return (struct entry){ morsel_pool_name(&names, slot),
			       morsel_pool_place(directory, slot) };
}

static struct morsel_pool_inode *inode_of(struct disk *disk, const char *path)
{
	struct entry entry = entry_of(disk, path);

	if (!entry.name)
		die(path, "no such file");
	return morsel_pool_inode(&disk->pool, entry.name->inode);
}

struct morsel_tree disk_tree(struct disk *disk, const char *path)
{
	return content(disk, inode_of(disk, path));
}

bool disk_empty(struct disk *disk, const char *path)
{
	struct morsel_tree names = names_in(disk, entry_of(disk, path).name->inode);
	u64 slot;

	for (slot = 0; slot < MOST_NAMES; slot++) {
		struct morsel_pool_name *entry = morsel_pool_name(&names, slot);

		if (entry && entry->inode)
			return false;
	}
	return true;
}

bool disk_there(struct disk *disk, const char *path)
{
	return entry_of(disk, path).name;
}

/* Two names of one file. */
bool disk_same(struct disk *disk, const char *path, const char *other)
{
	struct entry a = entry_of(disk, path), b = entry_of(disk, other);

	return a.name && b.name && a.name->inode == b.name->inode;
}

bool disk_has(struct disk *disk, const char *path, u64 page)
{
	struct morsel_tree tree = content(disk, inode_of(disk, path));

	return morsel_tree_lookup(&tree, page) != MORSEL_PFN_NONE;
}

/* A free entry in the path's directory, with its name in it. */
static int prepare(struct disk *disk, const char *path, struct entry *entry)
{
	const char *name;
	u64 directory = directory_of(disk, path, &name);
	u64 slot = find_free(disk, directory);
	struct morsel_tree names = names_in(disk, directory);

	entry->place = morsel_pool_place(directory, slot);
	return morsel_pool_name_prepare(&disk->pool, &names, slot, name, strlen(name),
					&entry->name);
}

int disk_create(struct disk *disk, const char *path, u32 mode)
{
	struct morsel_pool_attr attr = { .mode = mode, .uid = 1, .gid = 2 };
	struct morsel_pool_inode *inode;
	u64 number = unused(disk);
	struct entry entry;
	int err = morsel_pool_inode_new(&disk->pool, number, &attr, &inode);

	if (!err)
		err = prepare(disk, path, &entry);
	if (!err)
		morsel_pool_name_add(&disk->pool, entry.name, number);
	return err;
}

int disk_link(struct disk *disk, const char *path, const char *to)
{
	struct entry entry;
	int err = prepare(disk, to, &entry);

	if (!err)
		morsel_pool_name_add(&disk->pool, entry.name,
				     entry_of(disk, path).name->inode);
	return err;
}

/* Frees what an inode has, if no name leads to it any more. */
static void drop(struct disk *disk, u64 number)
{
	struct morsel_pool_inode *inode = morsel_pool_inode(&disk->pool, number);
	struct morsel_tree tree = content(disk, inode), xattrs;
	struct morsel_pool_attr attr;

	if (links(disk, MORSEL_POOL_ROOT, number))
		return;
	morsel_tree_destroy(&tree);
	morsel_pool_attr_get(inode, &attr);
	if (!attr.xattrs)
		return;
	morsel_tree_open(&xattrs, &medium_source, &attr.xattrs);
	morsel_tree_destroy(&xattrs);
}

int disk_unlink(struct disk *disk, const char *path)
{
	struct entry entry = entry_of(disk, path);
	u64 number = entry.name->inode;

	morsel_pool_name_remove(&disk->pool, entry.name);
	drop(disk, number);
	return 0;
}

void disk_stale(struct disk *disk, const char *path, const char *other)
{
	struct morsel_pool_inode *inode = inode_of(disk, path);
	u64 top = inode_of(disk, other)->top;

	disk_unlink(disk, path);
	inode->top = top;
}

int disk_rename(struct disk *disk, const char *path, const char *to)
{
	struct entry from = entry_of(disk, path), target = entry_of(disk, to);
	u64 replaced = target.name ? target.name->inode : 0;
	int err = replaced ? 0 : prepare(disk, to, &target);

	if (err)
		return err;
	morsel_pool_name_move(&disk->pool, from.name, from.place, target.name);
	if (replaced)
		drop(disk, replaced);
	return 0;
}

int disk_exchange(struct disk *disk, const char *path, const char *to)
{
	struct entry a = entry_of(disk, path), b = entry_of(disk, to);

	morsel_pool_name_swap(&disk->pool, a.name, b.name, b.place);
	return 0;
}

int disk_chown(struct disk *disk, const char *path, u32 uid, u32 gid, u32 mode)
{
	struct morsel_pool_inode *inode = inode_of(disk, path);
	struct morsel_pool_attr attr;

	morsel_pool_attr_get(inode, &attr);
	attr.uid = uid;
	attr.gid = gid;
	attr.mode = mode;
	morsel_pool_attr_set(&disk->pool, inode, &attr);
	return 0;
}

static void set_size(struct disk *disk, struct morsel_pool_inode *inode, u64 size)
{
	struct morsel_pool_attr attr;

	morsel_pool_attr_get(inode, &attr);
	attr.size = size;
	morsel_pool_attr_set(&disk->pool, inode, &attr);
}

static u64 size_of(struct morsel_pool_inode *inode)
{
	struct morsel_pool_attr attr;

	morsel_pool_attr_get(inode, &attr);
	return attr.size;
}

/* A page with a value, persistent before anything leads to it. */
static int page_of(struct disk *disk, unsigned char value, u64 *frame)
{
	int ret = medium_source.ops->pages_alloc(&medium_source, 0, NULL, frame, 1);

	if (ret < 0)
		return ret;
	memset(morsel_frame_table(*frame), value, MORSEL_PAGE_SIZE);
	morsel_pool_persist(&disk->pool, morsel_frame_table(*frame), MORSEL_PAGE_SIZE);
	return 0;
}

int disk_write(struct disk *disk, const char *path, u64 page, unsigned char value)
{
	struct morsel_pool_inode *inode = inode_of(disk, path);
	struct morsel_tree tree = content(disk, inode);
	u64 frame;
	int ret = page_of(disk, value, &frame);

	if (!ret)
		ret = morsel_tree_insert(&tree, page, frame);
	if (ret < 0)
		return ret;
	if (size_of(inode) < (page + 1) * MORSEL_PAGE_SIZE)
		set_size(disk, inode, (page + 1) * MORSEL_PAGE_SIZE);
	return 0;
}

int disk_populate(struct disk *disk, const char *path, u64 first, u64 last)
{
	struct morsel_pool_inode *inode = inode_of(disk, path);
	struct morsel_tree tree = content(disk, inode);
	u64 pages = size_of(inode) / MORSEL_PAGE_SIZE;
	int ret;

	/* Nothing is behind the end of a file. */
	if (first >= pages)
		return 0;
	ret = morsel_tree_populate(&tree, first, min(last, pages - 1), NULL);
	return ret < 0 ? ret : 0;
}

int disk_scribble(struct disk *disk, const char *path, u64 page, unsigned char value)
{
	struct morsel_tree tree = content(disk, inode_of(disk, path));
	u64 *p = morsel_frame_table(morsel_tree_lookup(&tree, page));

	memset(p, value, MORSEL_PAGE_SIZE);
	morsel_pool_persist(&disk->pool, p, MORSEL_PAGE_SIZE);
	return 0;
}

static u64 taken[MEDIUM_FRAMES];
static unsigned int takes;

static void take(void *unused, u64 frame)
{
	taken[takes++] = frame;
}

static void take_out(struct disk *disk, struct morsel_pool_inode *inode, u64 first, u64 last)
{
	struct morsel_tree tree = content(disk, inode);
	u64 end = morsel_level_pages(morsel_tree_order(&tree)) - 1;

	takes = 0;
	if (first <= min(last, end))
		morsel_tree_take(&tree, first, min(last, end), take, NULL);
	while (takes)
		medium_source.ops->page_free(&medium_source, taken[--takes]);
}

int disk_punch(struct disk *disk, const char *path, u64 first, u64 last)
{
	take_out(disk, inode_of(disk, path), first, last);
	return 0;
}

int disk_truncate(struct disk *disk, const char *path, u64 pages)
{
	struct morsel_pool_inode *inode = inode_of(disk, path);

	set_size(disk, inode, pages * MORSEL_PAGE_SIZE);
	take_out(disk, inode, pages, ~0ull);
	return 0;
}

/* Behind the end all is 0, in the last page, too: for when the file gets longer. */
int disk_end_at(struct disk *disk, const char *path, u64 bytes)
{
	struct morsel_pool_inode *inode = inode_of(disk, path);
	struct morsel_tree tree = content(disk, inode);
	u64 page = bytes / MORSEL_PAGE_SIZE, i;
	u64 frame = morsel_tree_lookup(&tree, page), *words = morsel_frame_table(frame);

	set_size(disk, inode, bytes);
	take_out(disk, inode, page + 1, ~0ull);
	if (frame == MORSEL_PFN_NONE)
		return 0;
	memset((char *)words + bytes % MORSEL_PAGE_SIZE, 0, -bytes % 8);
	for (i = (bytes % MORSEL_PAGE_SIZE + 7) / 8; i < MORSEL_PAGE_SIZE / 8; i++)
		morsel_plat_store(&words[i], 0);
	morsel_pool_persist(&disk->pool, words, MORSEL_PAGE_SIZE);
	return 0;
}

int disk_set_xattrs(struct disk *disk, const char *path, unsigned char value)
{
	struct morsel_pool_inode *inode = inode_of(disk, path);
	struct morsel_tree next, old;
	struct morsel_pool_attr attr;
	u64 frame, before;
	int ret = page_of(disk, value, &frame);

	if (ret)
		return ret;
	morsel_tree_init_rootless(&next, &medium_source);
	ret = morsel_tree_insert(&next, 0, frame);
	if (ret < 0) {
		morsel_tree_destroy(&next);
		return ret;
	}
	morsel_pool_attr_get(inode, &attr);
	before = attr.xattrs;
	attr.xattrs = next.own;
	morsel_pool_attr_set(&disk->pool, inode, &attr);
	morsel_tree_open(&old, &medium_source, &before);
	if (before)
		morsel_tree_destroy(&old);
	return 0;
}

struct text {
	char *at;
	size_t left;
};

static void say(struct text *text, const char *format, u64 a, u64 b)
{
	int n = snprintf(text->at, text->left, format, (unsigned long long)a,
			 (unsigned long long)b);

	if (n < 0 || (size_t)n >= text->left)
		die("text", "too long");
	text->at += n;
	text->left -= n;
}

static void say_pages(struct text *text, u64 top, u64 pages)
{
	struct morsel_tree tree;
	u64 page = 0;

	morsel_tree_open(&tree, &medium_source, &top);
	while (pages && (page = morsel_tree_next(&tree, page, pages - 1)) < pages) {
		unsigned char *p = (void *)morsel_frame_table(morsel_tree_lookup(&tree, page));

		if (p[0] || p[MORSEL_PAGE_SIZE - 1])
			say(text, " %llu=%llx", page, p[0] << 8 | p[MORSEL_PAGE_SIZE - 1]);
		page++;
	}
}

static void say_directory(struct disk *disk, struct text *text, u64 directory,
			  const char *prefix);

static void say_file(struct disk *disk, struct text *text, const struct morsel_pool_name *name,
		     const char *prefix)
{
	struct morsel_pool_inode *inode = morsel_pool_inode(&disk->pool, name->inode);
	struct morsel_pool_attr attr;
	char path[600];

	morsel_pool_attr_get(inode, &attr);
	snprintf(path, sizeof(path), "%s%.*s", prefix, name->length, name->name);
	say(text, path, 0, 0);
	say(text, " %llo %llu", attr.mode, links(disk, MORSEL_POOL_ROOT, name->inode));
	say(text, " %llu:%llu", attr.uid, attr.gid);
	if (attr.xattrs) {
		say(text, " xattrs", 0, 0);
		say_pages(text, attr.xattrs, 1);
	}
	if (attr.mode & DIRECTORY) {
		say(text, "\n", 0, 0);
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "/");
		say_directory(disk, text, name->inode, path);
		return;
	}
	say(text, " %llu:", attr.size, 0);
	say_pages(text, inode->top, (attr.size + MORSEL_PAGE_SIZE - 1) / MORSEL_PAGE_SIZE);
	say(text, "\n", 0, 0);
}

/* By name, for where an entry is says nothing. */
static int by_name(const void *a, const void *b)
{
	const struct morsel_pool_name *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void say_directory(struct disk *disk, struct text *text, u64 directory,
			  const char *prefix)
{
	struct morsel_tree tree = names_in(disk, directory);
	struct morsel_pool_name *names[MOST_NAMES];
	unsigned int n = 0, i;
	u64 slot;

	for (slot = 0; slot < MOST_NAMES; slot++) {
		struct morsel_pool_name *entry = morsel_pool_name(&tree, slot);

		if (entry && entry->inode)
			names[n++] = entry;
	}
	qsort(names, n, sizeof(*names), by_name);
	for (i = 0; i < n; i++)
		say_file(disk, text, names[i], prefix);
}

void disk_text(struct disk *disk, char *text, size_t size)
{
	struct text to = { text, size };

	*text = 0;
	say_directory(disk, &to, MORSEL_POOL_ROOT, "");
}
