// SPDX-License-Identifier: GPL-2.0-only
/*
 * Meta morsels: the fixed address is kept by every way to map, nothing else is
 * harmed by it, and what lies there is used by other processes as it stands.
 */
#include "guest.h"

#include <pthread.h>

#define N 256 /* pages with a stamp */
#define NEAR 2000 /* frames on either side of a root */
#define ENTRIES 5000 /* in the hash table, of each of two kinds */
#define READERS 4
#define RACES 500
#define NOBODY 65534

/* A meta morsel for slot 0 of free_addr(). */
static int create_meta(unsigned int order, unsigned int flags, uint64_t *id)
{
	int fd = morsel_create_at(device(), order, 0600, flags,
				  free_addr(order, 0), id);

	if (fd < 0)
		bail("create order %u at %#llx: %s", order,
		     (unsigned long long)free_addr(order, 0), strerror(-fd));
	return fd;
}

/* mmap(2) of the whole of it, with @flags besides MAP_SHARED. */
static char *map_whole(int fd, char *addr, int flags)
{
	return mmap(addr, info(fd).size, RW, MAP_SHARED | flags, fd, 0);
}

/* Another page at @addr, with a mark that unmark() finds again. */
static void mark(char *addr)
{
	if (mmap(addr, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) != addr)
		bail("anonymous page at %p: %s", addr, strerror(errno));
	memset(addr, 0x5a, PAGE);
}

static bool unmark(char *addr)
{
	bool whole = true;

	for (size_t i = 0; i < PAGE; i++)
		whole &= addr[i] == 0x5a;
	munmap(addr, PAGE);
	return whole;
}

static void facts(unsigned int order)
{
	struct morsel_next next = { 0 };
	uint64_t id, plain_id, seen = 0, listed = 0;
	int plain = create(order, &plain_id), fd, other;
	struct morsel_info want = info(plain), got;
	struct morsel_stats before = stats(), after;

	fd = create_meta(order, 0, &id);
	after = stats();
	got = info(fd);
	ok(id & MORSEL_ID_META && !(plain_id & MORSEL_ID_META),
	   "order %u: the flag is in the ID of a meta morsel only", order);
	is(morsel_id_order(id), 0, "order %u: its ID has the order 0", order);
	is(got.id, id, "order %u: INFO: id", order);
	is(got.order, order, "order %u: INFO: order", order);
	is(got.size, morsel_size(order), "order %u: INFO: size", order);
	is(got.mode, 0600, "order %u: INFO: mode", order);
	is(got.address, free_addr(order, 0), "order %u: INFO: address", order);
	is(got.flags, MORSEL_CREATE_META, "order %u: INFO: flags", order);
	is(got.data_frames, want.data_frames,
	   "order %u: no data frame more than without", order);
	is(got.table_frames, want.table_frames + 1,
	   "order %u: one more frame, for the meta morsel", order);
	is(got.descriptors, 1, "order %u: one descriptor", order);
	is(after.morsels, before.morsels + 1, "order %u: one more morsel",
	   order);
	is(after.table_frames, before.table_frames + got.table_frames,
	   "order %u: the totals have its frames", order);

	while (!ioctl(device(), MORSEL_IOC_NEXT, &next)) {
		listed++;
		seen += next.info.id == id &&
			next.info.address == got.address &&
			next.info.flags == got.flags &&
			next.info.order == order;
	}
	is(seen, 1, "order %u: NEXT lists it once, with address and flags",
	   order);
	is(listed, after.morsels, "order %u: and not its data besides", order);

	other = select_id(id, 0);
	got = info(other);
	ok(got.id == id && got.order == order && got.descriptors == 2 &&
		   got.address == free_addr(order, 0),
	   "order %u: OPEN by the ID of the meta morsel", order);
	close(other);
	destroy(fd);
	destroy(plain);
}

static void addresses(unsigned int order)
{
	uint64_t addr = free_addr(order, 0), size = morsel_size(order),
		 limit = 1ull << (max_order() == 4 ? 56 : 47);
	const struct {
		const char *what;
		uint64_t addr;
	} bad[] = {
		{ "0", 0 },
		{ "an odd one", addr + 1 },
		{ "a part of a page", addr + PAGE / 2 },
		{ "a part of its size", addr + size / 2 },
		{ "a page less", addr - PAGE % size },
		{ "the last of the address space", limit - size },
		{ "the first beyond", limit },
		{ "twice as far", 2 * limit },
		{ "a kernel address", -(128ull << 40) },
		{ "the last of all", -size },
		{ "~0", ~0ull },
	};
	struct morsel_stats before = stats();
	uint64_t id;
	int fd;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		/* Of order 0 each page will do. */
		if (bad[i].addr == addr)
			continue;
		is_errno(morsel_create_at(device(), order, 0600, 0, bad[i].addr,
					  &id),
			 EINVAL, "order %u: address: %s", order, bad[i].what);
	}
	is_errno(morsel_create_at(device(), order, 0600, 1u << 31, addr, &id),
		 EINVAL, "order %u: an unknown flag", order);
	ok(same_stats(before, stats()), "order %u: nothing is left of these",
	   order);

	/* The stack or a library may be there. */
	fd = morsel_create_at(device(), order, 0600, 0, limit - 2 * size, &id);
	if (ok(fd >= 0, "order %u: the last address that has room", order)) {
		void *p = NULL;
		int err = morsel_map(fd, NULL, RW, 0, &p);

		ok(err ? err == -EEXIST : (uintptr_t)p == limit - 2 * size,
		   "order %u: is where it is mapped, if at all", order);
		if (!err) {
			ok(!probe(p + size - 1, WRITE), "order %u: to its end",
			   order);
			unmap(p, order);
		}
		destroy(fd);
	}
}

/* Where it goes by each way to ask. */
static void places(unsigned int order)
{
	char *addr = (char *)free_addr(order, 0),
	     *other = (char *)free_addr(order, 2), *p;
	int fd = create_meta(order, 0, NULL);
	static const struct {
		const char *how;
		int flags;
	} ways[] = {
		{ "a hint", 0 },
		{ "MAP_FIXED", MAP_FIXED },
		{ "MAP_FIXED_NOREPLACE", MAP_FIXED_NOREPLACE },
	};

	p = map_whole(fd, NULL, 0);
	ok(p == addr, "order %u: without an address: its own", order);
	put_stamps(p, order, N);
	is(info(fd).attachments, order > 0, "order %u: by one entry", order);
	unmap(addr, order);

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		p = map_whole(fd, addr, ways[i].flags);
		ok(p == addr, "order %u: %s: its own address", order,
		   ways[i].how);
		is(bad_stamps(addr, order, N), 0, "order %u: with its content",
		   order);
		unmap(addr, order);

		is_errno(map_whole(fd, other, ways[i].flags), EINVAL,
			 "order %u: %s: another address", order, ways[i].how);
		is_errno(map_whole(fd, addr + PAGE, ways[i].flags), EINVAL,
			 "order %u: %s: a page beside", order, ways[i].how);
		mark(other);
		is_errno(map_whole(fd, other, ways[i].flags), EINVAL,
			 "order %u: %s: another address that is occupied",
			 order, ways[i].how);
		ok(unmark(other), "order %u: and what is there stays", order);
	}
	/* 0 is an address like any other for who says MAP_FIXED. */
	mark(addr);
	is_errno(map_whole(fd, NULL, MAP_FIXED), EINVAL,
		 "order %u: MAP_FIXED at address 0", order);
	ok(unmark(addr), "order %u: and what is at its own stays", order);
	is(info(fd).mappings, 0, "order %u: no refusal left a mapping", order);
	destroy(fd);
}

/* Something else is there: refused, and not a byte of it changes. */
static void occupied(unsigned int order)
{
	size_t size = morsel_size(order);
	char *addr = (char *)free_addr(order, 0);
	char *const inside[] = { addr, addr + (size / 2 & -PAGE),
				 addr + size - PAGE };
	int fd = create_meta(order, 0, NULL),
	    twin = create_meta(order, 0, NULL);

	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++) {
		mark(inside[i]);
		is_errno(map_whole(fd, NULL, 0), EEXIST,
			 "order %u: occupied, no address", order);
		is_errno(map_whole(fd, addr, 0), EEXIST,
			 "order %u: occupied, a hint", order);
		is_errno(map_whole(fd, addr, MAP_FIXED_NOREPLACE), EEXIST,
			 "order %u: occupied, MAP_FIXED_NOREPLACE", order);
		ok(unmark(inside[i]), "order %u: what is there stays", order);
	}
	is(info(fd).mappings, 0, "order %u: no mapping was left", order);

	mark(addr - PAGE);
	mark(addr + size);
	ok(map_whole(fd, NULL, 0) == addr, "order %u: between two neighbours",
	   order);
	put_stamps(addr, order, N);
	is_errno(map_whole(fd, NULL, 0), EEXIST,
		 "order %u: not twice in one process", order);
	is_errno(map_whole(twin, NULL, 0), EEXIST,
		 "order %u: nor beside another with the same address", order);
	is(bad_stamps(addr, order, N), 0, "order %u: which is in place", order);
	unmap(addr, order);
	ok(unmark(addr - PAGE) && unmark(addr + size),
	   "order %u: the neighbours too", order);

	ok(map_whole(twin, NULL, 0) == addr,
	   "order %u: the other one when there is room", order);
	ok(!*word(addr, 0), "order %u: has its own content", order);
	unmap(addr, order);
	destroy(twin);
	destroy(fd);
}

static void parts(unsigned int order)
{
	size_t size = morsel_size(order), half = size / 2;
	char *addr = (char *)free_addr(order, 0);
	int fd = create_meta(order, 0, NULL);
	char *p, *q;

	p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, half);
	ok(p == addr + half, "order %u: a page of the middle goes there",
	   order);
	*word(p, 0) = 1;
	q = mmap(NULL, half, RW, MAP_SHARED, fd, 0);
	ok(q == addr, "order %u: the half before it too", order);
	*word(q, 0) = 2;
	is_errno(mmap(NULL, 2 * PAGE, R, MAP_SHARED, fd, half - PAGE), EEXIST,
		 "order %u: not over either", order);
	is_errno(map_whole(fd, NULL, 0), EEXIST, "order %u: nor the whole",
		 order);
	is_errno(mmap(addr, PAGE, R, MAP_SHARED, fd, size - PAGE), EINVAL,
		 "order %u: the last page at the first's address", order);
	is_errno(mmap(addr + size - PAGE, PAGE, R, MAP_SHARED | MAP_FIXED, fd,
		      0),
		 EINVAL, "order %u: the first page at the last's", order);
	is_errno(mmap(NULL, 2 * PAGE, R, MAP_SHARED, fd, size - PAGE), EINVAL,
		 "order %u: a page beyond its end", order);
	is_errno(mmap(NULL, PAGE, R, MAP_SHARED, fd, size), EINVAL,
		 "order %u: all beyond its end", order);
	munmap(p, PAGE);
	munmap(q, half);

	ok(map_whole(fd, NULL, 0) == addr, "order %u: the whole", order);
	ok(*word(addr, half / PAGE) == 1 && *word(addr, 0) == 2,
	   "order %u: has what the parts wrote", order);
	munmap(addr + half, PAGE);
	p = mmap(NULL, PAGE, R, MAP_SHARED, fd, half);
	ok(p == addr + half && *word(p, 0) == 1,
	   "order %u: a hole in it is filled again", order);
	munmap(addr, size);
	destroy(fd);
}

static void moves(unsigned int order)
{
	const int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;
	size_t size = morsel_size(order);
	char *other = (char *)free_addr(order, 2);
	int fd = create_meta(order, 0, NULL);
	char *p = map(fd, RW);

	put_stamps(p, order, N);
	is_errno(mremap(p, size, size, fixed, other), EINVAL,
		 "order %u: mremap does not move it", order);
	/* What is there would be unmapped first: of order 4, this program. */
	if (order < 4)
		is_errno(mremap(p, size, size, fixed, NULL), EINVAL,
			 "order %u: not to address 0 either", order);
	is_errno(mremap(p, PAGE, PAGE, fixed, other), EINVAL,
		 "order %u: nor its first page", order);
	is_errno(mremap(p + size - PAGE, PAGE, PAGE, fixed, other), EINVAL,
		 "order %u: nor its last", order);
	ok(mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) ==
		   MAP_FAILED,
	   "order %u: nor leaves the old place mapped", order);
	ok(mremap(p, size, 2 * size, MREMAP_MAYMOVE) == MAP_FAILED,
	   "order %u: nor grows it", order);
	ok(mremap(p, 0, size, MREMAP_MAYMOVE) == MAP_FAILED,
	   "order %u: nor doubles it", order);
	ok(probe(other, READ), "order %u: nothing is at the other place",
	   order);
	ok(mremap(p, size, size, MREMAP_MAYMOVE) == p,
	   "order %u: it may be moved to where it is", order);
	is(bad_stamps(p, order, N), 0, "order %u: all is in place", order);
	munmap(p, size);
	is(info(fd).mappings, 0, "order %u: and no mapping besides", order);
	destroy(fd);
}

/* Another user, who was given the descriptor of the device but no right. */
static int stranger(void *id)
{
	need(!setgid(NOBODY) && !setuid(NOBODY));
	need(try_open(*(uint64_t *)id, MORSEL_OPEN_RDONLY) == EACCES);
	return 0;
}

static void readers(unsigned int order)
{
	size_t size = morsel_size(order);
	char *addr = (char *)free_addr(order, 0), *p;
	uint64_t id;
	int fd = create_meta(order, 0, &id), readonly;

	p = map(fd, RW);
	put_stamps(p, order, N);
	unmap(p, order);
	readonly = select_id(id, MORSEL_OPEN_RDONLY);
	is_errno(map_whole(readonly, NULL, 0), EACCES,
		 "order %u: no writing by a read-only descriptor", order);
	p = map(readonly, R);
	ok(p == addr, "order %u: but reading, at its address", order);
	is(bad_stamps(p, order, N), 0, "order %u: the content", order);
	ok(probe(p, WRITE) && probe(p + size - 1, WRITE),
	   "order %u: and no more", order);
	is_errno(mprotect(p, size, RW), EACCES,
		 "order %u: mprotect adds no writing", order);
	is_errno(morsel_destroy(readonly), EBADF,
		 "order %u: no destroying by it", order);
	unmap(p, order);
	close(readonly);
	is(reap(spawn(stranger, &id)), 0, "order %u: the ID gives no right",
	   order);
	destroy(fd);
}

struct arena {
	unsigned int order;
	uint64_t id;
};

/* With the mapping that it inherits, then with one of its own. */
static int child(void *arg)
{
	struct arena *arena = arg;
	char *addr = (char *)free_addr(arena->order, 0);

	need(!bad_stamps(addr, arena->order, N));
	*word(addr, 0) = 42;
	unmap(addr, arena->order);
	need(probe(addr, READ));
	need(map_id(arena->id, RW) == addr);
	need(*word(addr, 0) == 42);
	*word(addr, 0) = 43;
	return 0;
}

/* Its parent has it mapped, but this one may not inherit it. */
static int stepchild(void *arg)
{
	struct arena *arena = arg;
	char *addr = (char *)free_addr(arena->order, 0);

	need(probe(addr, READ));
	need(map_id(arena->id, R) == addr);
	need(*word(addr, 0) == 43);
	return 0;
}

static void children(unsigned int order)
{
	struct arena arena = { .order = order };
	int fd = create_meta(order, 0, &arena.id);
	char *p = map(fd, RW);

	put_stamps(p, order, N);
	is(reap(spawn(child, &arena)), 0,
	   "order %u: fork: the child has it, and can map it anew", order);
	is(*word(p, 0), 43, "order %u: the parent sees what it wrote", order);
	madvise(p, morsel_size(order), MADV_DONTFORK);
	is(reap(spawn(stepchild, &arena)), 0,
	   "order %u: a child without it maps it by its ID", order);
	unmap(p, order);
	close(fd);
	fd = select_id(arena.id, 0);
	is(info(fd).mappings, 0, "order %u: none is left", order);
	destroy(fd);
}

/* @id with another frame, order, flag and generation. */
static uint64_t other_id(uint64_t id, uint64_t frames, unsigned int order,
			 uint64_t meta, uint64_t gen)
{
	id &= ~(MORSEL_ID_META | MORSEL_ID_ORDER_MASK << MORSEL_ID_ORDER_SHIFT |
		MORSEL_ID_GEN_LO_MASK << MORSEL_ID_GEN_LO_SHIFT |
		MORSEL_ID_GEN_HI_MASK << MORSEL_ID_GEN_HI_SHIFT);
	id |= meta | (order + 1ull) << MORSEL_ID_ORDER_SHIFT |
	      (gen & MORSEL_ID_GEN_LO_MASK) << MORSEL_ID_GEN_LO_SHIFT |
	      (gen >> 3 & MORSEL_ID_GEN_HI_MASK) << MORSEL_ID_GEN_HI_SHIFT;
	return id + frames * PAGE;
}

static uint64_t generation(uint64_t id)
{
	return (id >> MORSEL_ID_GEN_LO_SHIFT & MORSEL_ID_GEN_LO_MASK) |
	       (id >> MORSEL_ID_GEN_HI_SHIFT & MORSEL_ID_GEN_HI_MASK) << 3;
}

/*
 * The data has an ID too, in the meta morsel.  Guesses at it: frames near by,
 * its order, generations around that of the meta morsel.
 */
static void forged(unsigned int order)
{
	unsigned long wrong = 0;
	uint64_t id, gen;
	int fd = create_meta(order, 0, &id);
	char *p;

	/* The root, for one, is near by when there is a tree. */
	p = map(fd, RW);
	put_stamps(p, order, N);
	gen = generation(id);
	is(try_open(id, 0), 0, "order %u: the ID opens", order);
	is(try_open(id & ~MORSEL_ID_META, 0), ENOENT,
	   "order %u: not without the flag", order);
	for (int bit = 0; bit < 64; bit++)
		wrong += try_open(id ^ 1ull << bit, 0) != ENOENT;
	is(wrong, 0, "order %u: nor with any other bit flipped", order);
	for (uint64_t i = 0; i < 1024; i++)
		wrong += i != gen &&
			 try_open(other_id(id, 0, 0, MORSEL_ID_META, i), 0) !=
				 ENOENT;
	is(wrong, 0, "order %u: nor with another generation", order);
	for (unsigned int i = 1; i <= MORSEL_ORDER_MAX; i++)
		wrong += try_open(other_id(id, 0, i, MORSEL_ID_META, gen), 0) !=
			 ENOENT;
	is(wrong, 0, "order %u: nor with the order of the data", order);
	for (uint64_t i = 0; i <= 2 * NEAR; i++)
		for (uint64_t g = gen - 1; g != gen + 2; g++)
			wrong += try_open(other_id(id, i - NEAR, order, 0, g),
					  0) != ENOENT;
	is(wrong, 0, "order %u: no guess at the ID of the data opens", order);
	for (uint64_t i = 0; i <= 2 * NEAR; i++)
		wrong += i != NEAR && try_open(other_id(id, i - NEAR, 0,
							MORSEL_ID_META, gen),
					       0) != ENOENT;
	is(wrong, 0, "order %u: nor one with the frame of a neighbour", order);
	is(info(fd).descriptors, 1, "order %u: no attempt left anything open",
	   order);
	unmap(p, order);
	destroy(fd);
}

static void ends(unsigned int order)
{
	char *addr = (char *)free_addr(order, 0);
	struct morsel_stats before = stats();
	uint64_t id, next;
	int fd = create_meta(order, 0, &id), other;
	char *p = map(fd, RW);

	put_stamps(p, order, N);
	is_errno(morsel_destroy(fd), EBUSY, "order %u: no end while mapped",
		 order);
	unmap(p, order);
	other = select_id(id, 0);
	is_errno(morsel_destroy(fd), EBUSY, "order %u: nor while open twice",
		 order);
	close(other);
	close(fd);
	is(try_open(id, 0), 0, "order %u: it outlives its descriptors", order);
	fd = select_id(id, 0);
	ok(map_whole(fd, NULL, 0) == addr, "order %u: with its address", order);
	is(bad_stamps(addr, order, N), 0, "order %u: and its content", order);
	unmap(addr, order);
	is(morsel_destroy(fd), 0, "order %u: destroyed", order);
	is(try_open(id, 0), ENOENT, "order %u: its ID names nothing", order);
	is_errno(mmap(NULL, morsel_size(order), R, MAP_SHARED, fd, 0), ESTALE,
		 "order %u: its descriptor maps nothing", order);
	close(fd);
	ok(same_stats(before, stats()), "order %u: both are given back", order);

	fd = create_meta(order, 0, &next);
	ok(next != id && try_open(id, 0) == ENOENT,
	   "order %u: the next at that address has another ID", order);
	ok(map_whole(fd, NULL, 0) == addr && !*word(addr, 0),
	   "order %u: and is empty", order);
	unmap(addr, order);
	destroy(fd);
}

static void ephemeral(unsigned int order)
{
	struct morsel_stats before = stats();
	uint64_t id;
	int fd = create_meta(order, MORSEL_CREATE_EPHEMERAL, &id);
	char *p;

	is(info(fd).flags, MORSEL_CREATE_META | MORSEL_CREATE_EPHEMERAL,
	   "order %u: both flags", order);
	p = map(fd, RW);
	close(fd);
	put_stamps(p, order, N);
	is(try_open(id, 0), 0, "order %u: its mapping keeps it", order);
	is(bad_stamps(p, order, N), 0, "order %u: and its content", order);
	fd = select_id(id, 0);
	unmap(p, order);
	ok(map(fd, RW) == (char *)free_addr(order, 0),
	   "order %u: its descriptor does too", order);
	unmap(p, order);
	close(fd);
	is(try_open(id, 0), ENOENT, "order %u: with both it is gone", order);
	ok(same_stats(before, stats()), "order %u: its meta morsel too", order);
}

/*
 * A hash table, by uthash: it takes its memory from the morsel, and all its
 * pointers are into the morsel.
 */
static void *take(size_t size);
#define uthash_malloc(size) take(size)
#define uthash_free(p, size) ((void)(p))
#define uthash_fatal(msg) bail("uthash: %s", msg)
#include <uthash.h>

struct entry {
	uint64_t key;
	uint64_t *value;
	UT_hash_handle hh;
};

struct root {
	struct entry *entries;
	char *next, *end;
};

static struct root *root;

static void *take(size_t size)
{
	char *p = root->next;

	root->next += (size + 15) & ~15ull;
	if (root->next > root->end)
		bail("%zu bytes do not fit in the morsel", size);
	return p;
}

static void add(uint64_t i)
{
	struct entry *entry = take(sizeof(*entry));

	entry->key = stamp(i);
	entry->value = take(sizeof(*entry->value));
	*entry->value = i;
	HASH_ADD(hh, root->entries, key, sizeof(entry->key), entry);
}

static struct entry *find(uint64_t i)
{
	uint64_t key = stamp(i);
	struct entry *entry;

	HASH_FIND(hh, root->entries, &key, sizeof(key), entry);
	return entry;
}

static int build(void *arg)
{
	struct arena *arena = arg;
	int fd = create_meta(arena->order, 0, &arena->id);

	root = (struct root *)map(fd, RW);
	root->next = (char *)(root + 1);
	root->end = (char *)root + morsel_size(arena->order);
	for (uint64_t i = 0; i < ENTRIES; i++)
		add(i);
	return 0;
}

/* Takes every third out and puts in as many as there were. */
static int edit(void *arg)
{
	struct arena *arena = arg;

	root = (struct root *)map_id(arena->id, RW);
	for (uint64_t i = 0; i < ENTRIES; i += 3) {
		struct entry *entry = find(i);

		need(entry);
		HASH_DEL(root->entries, entry);
	}
	for (uint64_t i = ENTRIES; i < 2 * ENTRIES; i++)
		add(i);
	return 0;
}

/* Finds what @there says, by walking and by looking up; read-only. */
static int check(struct arena *arena, bool (*there)(uint64_t i))
{
	uint64_t count = 0, walked = 0;
	struct entry *entry;

	root = (struct root *)map_id(arena->id, R);
	need((uintptr_t)root == free_addr(arena->order, 0));
	for (uint64_t i = 0; i < 3 * ENTRIES; i++) {
		entry = find(i);
		need(!entry == !there(i));
		need(!entry || *entry->value == i);
		count += there(i);
	}
	need(HASH_COUNT(root->entries) == count);
	for (entry = root->entries; entry; entry = entry->hh.next) {
		need((char *)entry > (char *)root &&
		     (char *)entry < root->next);
		need(there(*entry->value) &&
		     entry->key == stamp(*entry->value));
		walked++;
	}
	need(walked == count);
	return 0;
}

static bool built(uint64_t i)
{
	return i < ENTRIES;
}

static bool edited(uint64_t i)
{
	return i < ENTRIES ? i % 3 : i < 2 * ENTRIES;
}

static int check_built(void *arena)
{
	return check(arena, built);
}

static int check_edited(void *arena)
{
	return check(arena, edited);
}

static void hash_table(unsigned int order)
{
	struct arena *arena = shared(sizeof(*arena));
	pid_t pids[READERS];
	int wrong = 0, fd;

	arena->order = order;
	is(reap(spawn(build, arena)), 0, "order %u: a hash table is built",
	   order);
	for (int i = 0; i < READERS; i++)
		pids[i] = spawn(check_built, arena);
	for (int i = 0; i < READERS; i++)
		wrong += reap(pids[i]) != 0;
	is(wrong, 0, "order %u: %d others find all of its %d entries", order,
	   READERS, ENTRIES);
	is(reap(spawn(edit, arena)), 0, "order %u: one changes it", order);
	is(reap(spawn(check_edited, arena)), 0,
	   "order %u: another finds it changed", order);
	fd = select_id(arena->id, 0);
	is(info(fd).mappings, 0, "order %u: they are gone", order);
	destroy(fd);
	munmap(arena, sizeof(*arena));
}

struct race {
	int fd;
	pthread_barrier_t barrier;
	atomic_int won, lost;
};

static void *racer(void *arg)
{
	struct race *race = arg;

	for (int i = 0; i < RACES; i++) {
		char *p;

		pthread_barrier_wait(&race->barrier);
		p = mmap(NULL, morsel_size(1), RW, MAP_SHARED, race->fd, 0);
		race->won += p == (char *)free_addr(1, 0);
		race->lost += p == MAP_FAILED && errno == EEXIST;
		pthread_barrier_wait(&race->barrier);
		if (p != MAP_FAILED)
			unmap(p, 1);
	}
	return NULL;
}

/* Two threads of one process want it at the same time: one gets it. */
static void race(void)
{
	struct race race = { .fd = create_meta(1, 0, NULL) };
	pthread_t threads[2];

	pthread_barrier_init(&race.barrier, NULL, 2);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, racer, &race);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	is(race.won, RACES, "two threads at once: one gets it");
	is(race.lost, RACES, "and the other an error");
	destroy(race.fd);
}

int main(int argc, char **argv)
{
	guest_init(argc, argv);
	for (unsigned int order = 0; order <= max_order(); order++) {
		facts(order);
		addresses(order);
		places(order);
		occupied(order);
		if (order > 0)
			parts(order);
		moves(order);
		readers(order);
		children(order);
		forged(order);
		ends(order);
		ephemeral(order);
		if (order > 0)
			hash_table(order);
	}
	race();
	return guest_done();
}
