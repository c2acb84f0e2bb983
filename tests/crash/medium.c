// SPDX-License-Identifier: GPL-2.0-only
/* medium.c - a persistent medium that can lose its power after every store */
#include <stdio.h>

#include "medium.h"

#define LINE		64u
#define PENDING		4096u	/* stores that are not persistent yet, at most */
#define MANY		48u	/* of them, that are kept from one operation to the next */
#define ALL		64u	/* images of one moment, all of them up to here, */
#define SAMPLES		24u	/* and so many at random where there are more */
#define THIN		64u	/* one of so many moments where more than MANY are pending */

/* A store that no crash need leave behind. */
struct pending {
	u64 *p;
	u64 value;
};

u64 *morsel_arena;
u64 medium_base = 1;
bool medium_adr, medium_thin;
const struct medium_racing *medium_racing;

static struct morsel_pool *using;
static medium_crash *on_crash, *on_image_crash;
static char image[MEDIUM_BYTES] __attribute__((aligned(MORSEL_PAGE_SIZE)));
static char second[MEDIUM_BYTES] __attribute__((aligned(MORSEL_PAGE_SIZE)));
static char durable[MEDIUM_BYTES];
static struct pending pending[PENDING];
static unsigned int pendings;
static unsigned long states, sampled, stores;
static long allowed = -1;
static void *home, *memory;
static size_t used;	/* bytes from the start on; behind them are zeroes */

static void die(const char *what)
{
	fprintf(stderr, "medium: %s\n", what);
	abort();
}

static bool ours(const void *p)
{
	return (const char *)p >= (char *)home &&
	       (const char *)p < (char *)home + MEDIUM_BYTES;
}

static size_t offset_of(const void *p)
{
	return (const char *)p - (char *)home;
}

static void look(void)
{
	states++;
	on_crash(image);
}

/* Stores of a line so far, and for each of them how many of these are left. */
struct line {
	size_t at;
	unsigned int stores, left;
};

static unsigned int lines_of(struct line *lines)
{
	unsigned int n = 0, i, j;

	for (i = 0; i < pendings; i++) {
		size_t at = offset_of(pending[i].p) / LINE;

		for (j = 0; j < n && lines[j].at != at; j++)
			;
		if (j == n)
			lines[n++] = (struct line){ .at = at };
		lines[j].stores++;
	}
	return n;
}

static void leave(struct line *lines, unsigned int n)
{
	unsigned int seen[PENDING] = { 0 }, i, j;

	medium_copy(image, durable);
	for (i = 0; i < pendings; i++) {
		size_t at = offset_of(pending[i].p);

		for (j = 0; j < n && lines[j].at != at / LINE; j++)
			;
		if (seen[j]++ < lines[j].left)
			memcpy(image + at, &pending[i].value, sizeof(u64));
	}
	look();
}

/* The next combination of what is left of each line; false after the last. */
static bool step(struct line *lines, unsigned int n)
{
	unsigned int j;

	for (j = 0; j < n; j++) {
		if (lines[j].left++ < lines[j].stores)
			return true;
		lines[j].left = 0;
	}
	return false;
}

static void crash_without_caches(void)
{
	static struct line lines[PENDING];
	unsigned int n = lines_of(lines), i, j;
	unsigned long all = 1;

	for (j = 0; j < n && all <= ALL; j++)
		all *= lines[j].stores + 1;
	if (all <= ALL) {
		do
			leave(lines, n);
		while (step(lines, n));
		return;
	}
	sampled++;
	for (i = 0; i < SAMPLES; i++) {
		for (j = 0; j < n; j++)
			lines[j].left = random() % (lines[j].stores + 1);
		leave(lines, n);
	}
}

static void look_now(void)
{
	if (medium_adr) {
		crash_without_caches();
		return;
	}
	medium_copy(image, home);
	look();
}

void medium_look(medium_crash *crash)
{
	medium_crash *was = on_crash;

	on_crash = crash;
	look_now();
	on_crash = was;
}

static void crash_after(const void *p)
{
	u64 *word = (u64 *)((uintptr_t)p & ~7ul);

	stores += (char *)p >= (char *)memory && (char *)p < (char *)memory + MEDIUM_BYTES;
	if (on_image_crash && memory == image && (char *)p >= image &&
	    (char *)p < image + sizeof(image)) {
		medium_copy(second, image);
		states++;
		on_image_crash(second);
		return;
	}
	if (!on_crash || memory != home || !ours(p))
		return;
	if (pendings == PENDING)
		die("too many stores that are not persistent");
	if (medium_adr)
		pending[pendings++] = (struct pending){ word, *word };
	if (allowed > 0 || (medium_racing && !medium_racing->worth(p)))
		return;
	if (!medium_thin || pendings <= MANY || !(pendings % THIN))
		look_now();
}

void morsel_racing(const void *p)
{
	if (medium_racing && memory == home)
		medium_racing->turn(p);
}

void morsel_stored(const void *p)
{
	crash_after(p);
	morsel_racing(p);
}

/* What was stored before stays; so does what no primitive told us of. */
static void persist(const void *p, size_t bytes)
{
	size_t from, to;
	unsigned int i, kept = 0;

	if (!on_crash || memory != home || !ours(p))
		return;
	from = offset_of(p) / LINE * LINE;
	to = (offset_of(p) + bytes + LINE - 1) / LINE * LINE;
	memcpy(durable + from, (char *)home + from, to - from);
	for (i = 0; i < pendings; i++) {
		size_t at = offset_of(pending[i].p);

		if (at < from || at >= to)
			pending[kept++] = pending[i];
	}
	pendings = kept;
	morsel_racing(p);
}

void *medium_put(void *copy)
{
	void *was = memory;

	memory = copy;
	morsel_arena = (u64 *)copy - medium_base * MORSEL_ENTRIES;
	return was;
}

void medium_copy(void *to, const void *from)
{
	memcpy(to, from, used);
}

size_t medium_used(void)
{
	return used;
}

void *medium_memory(void)
{
	return memory;
}

void medium_reset(void)
{
	if (!home)
		home = aligned_alloc(MORSEL_PAGE_SIZE, MEDIUM_BYTES);
	medium_put(home);
	memset(home, 0, MEDIUM_BYTES);
	memset(image, 0, sizeof(image));
	memset(second, 0, sizeof(second));
	used = MORSEL_POOL_FIRST * MORSEL_PAGE_SIZE;
	medium_source.persist = medium_adr ? persist : NULL;
	on_crash = NULL;
	allowed = -1;
}

void medium_arm(medium_crash *crash)
{
	memcpy(durable, home, sizeof(durable));
	pendings = 0;
	on_crash = crash;
}

void medium_go_on(medium_crash *crash)
{
	if (pendings > MANY)
		medium_arm(crash);
	on_crash = crash;
}

void medium_disarm(void)
{
	on_crash = NULL;
}

void medium_arm_image(medium_crash *crash)
{
	on_image_crash = crash;
}

unsigned long medium_states(void)
{
	return states;
}

unsigned long medium_stores(void)
{
	return stores;
}

void medium_skip(void)
{
	states--;
}

unsigned long medium_sampled(void)
{
	return sampled;
}

void medium_use(struct morsel_pool *pool)
{
	using = pool;
}

void medium_fail_after(long n)
{
	allowed = n ? n - 1 : -1;
}

static int take(u64 *frame)
{
	if (allowed >= 0 && allowed-- == 0) {
		allowed = 0;
		return -ENOSPC;
	}
	if (!morsel_pool_frames_alloc(&using->frames, 0, frame, 1))
		return -ENOSPC;
	if (used < (*frame + 1) * MORSEL_PAGE_SIZE)
		used = (*frame + 1) * MORSEL_PAGE_SIZE;
	*frame += using->base;
	memset(morsel_frame_table(*frame), 0, MORSEL_PAGE_SIZE);
	if (medium_source.persist)
		medium_source.persist(morsel_frame_table(*frame), MORSEL_PAGE_SIZE);
	return 0;
}

static int table_alloc(struct morsel_source *source, unsigned int level, u64 *frame)
{
	return take(frame);
}

static void table_free(struct morsel_source *source, unsigned int level, u64 frame)
{
	morsel_pool_frames_free(&using->frames, frame - using->base);
}

static int pages_alloc(struct morsel_source *source, u64 index, void *hint, u64 *frames,
		       unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (take(&frames[i]))
			break;
	return i ? (int)i : -ENOSPC;
}

static void page_free(struct morsel_source *source, u64 frame)
{
	morsel_pool_frames_free(&using->frames, frame - using->base);
}

static int fill_begin(struct morsel_source *source, u64 first, u64 *last)
{
	return 0;
}

static void nothing(struct morsel_source *source)
{
}

static void nothing_of_table(struct morsel_source *source, u64 table)
{
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

struct morsel_source medium_source = {
	.ops = &ops,
	.table_flags = MORSEL_POOL_TABLE_FLAGS,
	.leaf_flags = MORSEL_POOL_LEAF_FLAGS,
};
