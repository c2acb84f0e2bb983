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

/* Stores of a line so far, and for each of them how many of these are left. */
struct line {
	size_t at;
	unsigned int stores, left;
};

/**
 * struct power - a memory that can lose it, and what is left of it then
 * @at:       the memory
 * @durable:  what is in it of which no crash takes anything back
 * @left:     what a crash has left
 * @crash:    looks at that; none: no crash
 * @few:      a crash comes after each store as long as there are fewer @pendings,
 * @every:    and else after one of so many; both of who mends
 * @stores:   so far
 * @pending:  stores that are not persistent yet
 * @pendings: how many
 * @lines:    that these are in
 */
struct power {
	char *at, *durable, *left;
	medium_crash *crash;
	unsigned int few, every, stores;
	struct pending pending[PENDING];
	unsigned int pendings;
	struct line lines[PENDING];
};

u64 *morsel_arena;
u64 medium_base = 1;
bool medium_adr, medium_thin, medium_thorough;
const struct medium_racing *medium_racing;

static struct morsel_pool *using;
static char image[MEDIUM_BYTES] __attribute__((aligned(MORSEL_PAGE_SIZE)));
static char second[MEDIUM_BYTES] __attribute__((aligned(MORSEL_PAGE_SIZE)));
static char durable[MEDIUM_BYTES], image_durable[MEDIUM_BYTES];
/* That of who operates on the medium, and that of who mends what it has left. */
static struct power power = { .durable = durable, .left = image };
static struct power again = { .at = image, .durable = image_durable, .left = second };
static unsigned long states, sampled, stores;
static long allowed = -1;
static void *memory;
static size_t used;	/* bytes from the start on; behind them are zeroes */

static void die(const char *what)
{
	fprintf(stderr, "medium: %s\n", what);
	abort();
}

static bool within(const void *memory, const void *p)
{
	return (const char *)p >= (const char *)memory &&
	       (const char *)p < (const char *)memory + MEDIUM_BYTES;
}

/* What a store or a write-back is the concern of, if it is that of any. */
static struct power *concerned(const void *p)
{
	struct power *now = memory == image ? &again : &power;

	return now->crash && memory == now->at && within(now->at, p) ? now : NULL;
}

static size_t offset_of(const struct power *now, const void *p)
{
	return (const char *)p - now->at;
}

static void look(struct power *now)
{
	states++;
	now->crash(now->left);
}

static unsigned int lines_of(struct power *now)
{
	struct line *lines = now->lines;
	unsigned int n = 0, i, j;

	for (i = 0; i < now->pendings; i++) {
		size_t at = offset_of(now, now->pending[i].p) / LINE;

		for (j = 0; j < n && lines[j].at != at; j++)
			;
		if (j == n)
			lines[n++] = (struct line){ .at = at };
		lines[j].stores++;
	}
	return n;
}

static void leave(struct power *now, unsigned int n)
{
	unsigned int seen[PENDING] = { 0 }, i, j;

	medium_copy(now->left, now->durable);
	for (i = 0; i < now->pendings; i++) {
		size_t at = offset_of(now, now->pending[i].p);

		for (j = 0; j < n && now->lines[j].at != at / LINE; j++)
			;
		if (seen[j]++ < now->lines[j].left)
			memcpy(now->left + at, &now->pending[i].value, sizeof(u64));
	}
	look(now);
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

static void crash_without_caches(struct power *now)
{
	unsigned int n = lines_of(now), i, j;
	unsigned long all = 1;

	for (j = 0; j < n && all <= ALL; j++)
		all *= now->lines[j].stores + 1;
	if (all <= ALL) {
		do
			leave(now, n);
		while (step(now->lines, n));
		return;
	}
	sampled++;
	for (i = 0; i < SAMPLES; i++) {
		for (j = 0; j < n; j++)
			now->lines[j].left = random() % (now->lines[j].stores + 1);
		leave(now, n);
	}
}

static void look_now(struct power *now)
{
	if (medium_adr) {
		crash_without_caches(now);
		return;
	}
	medium_copy(now->left, now->at);
	look(now);
}

void medium_look(medium_crash *crash)
{
	medium_crash *was = power.crash;

	power.crash = crash;
	look_now(&power);
	power.crash = was;
}

/* Is a crash after this store worth a look? */
static bool worth(const struct power *now, const void *p)
{
	if (now == &again)
		return now->pendings < now->few || !(now->stores % now->every);
	if (allowed > 0 || (medium_racing && !medium_racing->worth(p)))
		return false;
	return !medium_thin || now->pendings <= MANY || !(now->pendings % THIN);
}

static void crash_after(const void *p)
{
	u64 *word = (u64 *)((uintptr_t)p & ~7ul);
	struct power *now = concerned(p);

	stores += within(memory, p);
	if (!now)
		return;
	if (now->pendings == PENDING)
		die("too many stores that are not persistent");
	if (medium_adr)
		now->pending[now->pendings++] = (struct pending){ word, *word };
	now->stores++;
	if (worth(now, p))
		look_now(now);
}

void morsel_racing(const void *p)
{
	if (medium_racing && memory == power.at)
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
	struct power *now = concerned(p);
	unsigned int i, kept = 0;
	size_t from, to;

	if (!now)
		return;
	from = offset_of(now, p) / LINE * LINE;
	to = (offset_of(now, p) + bytes + LINE - 1) / LINE * LINE;
	memcpy(now->durable + from, now->at + from, to - from);
	for (i = 0; i < now->pendings; i++) {
		size_t at = offset_of(now, now->pending[i].p);

		if (at < from || at >= to)
			now->pending[kept++] = now->pending[i];
	}
	now->pendings = kept;
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
	if (!power.at)
		power.at = aligned_alloc(MORSEL_PAGE_SIZE, MEDIUM_BYTES);
	medium_put(power.at);
	memset(power.at, 0, MEDIUM_BYTES);
	memset(image, 0, sizeof(image));
	memset(second, 0, sizeof(second));
	used = MORSEL_POOL_FIRST * MORSEL_PAGE_SIZE;
	medium_source.persist = medium_adr ? persist : NULL;
	power.crash = NULL;
	allowed = -1;
}

void medium_arm(medium_crash *crash)
{
	memcpy(durable, power.at, sizeof(durable));
	power.pendings = 0;
	power.crash = crash;
}

void medium_go_on(medium_crash *crash)
{
	if (power.pendings > MANY)
		medium_arm(crash);
	power.crash = crash;
}

void medium_disarm(void)
{
	power.crash = NULL;
}

void medium_arm_image(medium_crash *crash, unsigned int few, unsigned int every)
{
	medium_copy(image_durable, image);
	again.pendings = 0;
	again.few = few;
	again.every = every;
	again.crash = crash;
}

void medium_disarm_image(void)
{
	again.crash = NULL;
}

bool medium_persistent(void)
{
	return !(memory == image ? again : power).pendings;
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
