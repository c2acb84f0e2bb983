// SPDX-License-Identifier: GPL-2.0-only
/*
 * interleave.c - two operations at once, step by step in any order, and crashes
 *
 * Each has a stack of its own, and one of them runs at a time: after a store to what
 * both can see, before an atomic operation, and after lines were written back, the other
 * one may go on.  At each such decision it stays or switches; these choices are an order,
 * and all with few switches are run, and some at random.  After each store and when an
 * operation is through there is a crash.  Of what is left after recovery:
 *  - no frame is named twice, and what is in use is what something leads to;
 *  - each page is as the operations can have left it, whichever of them had been done;
 *  - what an operation that was through had made is there.
 *
 * Stores to a frame that nothing leads to yet are nobody else's affair, and no moment of
 * their own.  An image that was looked at before, with as much to be expected, is not
 * looked at again.
 */
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <ucontext.h>

#include "interleave.h"
#include "judge.h"
#include "tap.h"

#define STACK		(256u << 10)
#define DECISIONS	512u
#define SEEN		(1u << 20)	/* images that are remembered */
#define WIDE		60u		/* frames that are asked for at once */

enum what { POPULATE, INSERT, SYNC, TAKE, GROW, ALLOC, FREE };

/* Pages from @first to @last; or an order; or how many frames, or which one. */
struct act {
	enum what what;
	u64 first, last;
	unsigned char value;
};

/* What the pool is before: with a hole where a table could be, without a root, full. */
enum base { PLAIN, DEEP, ROOTLESS, FULL, ONE_LEFT };

static const struct pair {
	const char *name;
	enum base base;
	struct act of[2];
} all_pairs[] = {
	{ "one page, twice", PLAIN, { { POPULATE, 1, 1, 0 }, { POPULATE, 1, 1, 0 } } },
	{ "one page without a table, twice", DEEP,
	  { { POPULATE, 1024, 1024, 0 }, { POPULATE, 1024, 1024, 0 } } },
	{ "two pages below one table that is missing", DEEP,
	  { { POPULATE, 1024, 1024, 0 }, { POPULATE, 1025, 1025, 0 } } },
	{ "pages, and one of them", PLAIN, { { POPULATE, 3, 6, 0 }, { POPULATE, 5, 5, 0 } } },
	{ "pages that overlap", PLAIN, { { POPULATE, 3, 5, 0 }, { POPULATE, 4, 7, 0 } } },
	{ "the first page, twice", ROOTLESS, { { POPULATE, 0, 0, 0 }, { POPULATE, 0, 0, 0 } } },
	{ "growing, and a page", PLAIN, { { GROW, 3, 0, 0 }, { POPULATE, 1, 1, 0 } } },
	{ "growing, and a page behind the end", PLAIN,
	  { { GROW, 2, 0, 0 }, { POPULATE, 600, 600, 0 } } },
	{ "growing by a page, twice", PLAIN,
	  { { POPULATE, 513, 513, 0 }, { POPULATE, 512 * 512, 512 * 512, 0 } } },
	{ "growing twice", PLAIN, { { GROW, 2, 0, 0 }, { GROW, 3, 0, 0 } } },
	{ "a page, and taking it", PLAIN, { { POPULATE, 1, 1, 0 }, { TAKE, 0, 2, 0 } } },
	{ "a page that is there, and taking it", PLAIN, { { POPULATE, 0, 0, 0 }, { TAKE, 0, 0, 0 } } },
	{ "a page without room, and taking another", FULL,
	  { { POPULATE, 1, 1, 0 }, { TAKE, 2, 2, 0 } } },
	{ "taking twice", PLAIN, { { TAKE, 0, 2, 0 }, { TAKE, 2, 2, 0 } } },
	{ "a page that is full, and an empty one", DEEP,
	  { { INSERT, 1025, 1025, 9 }, { POPULATE, 1025, 1025, 0 } } },
	{ "two full pages", PLAIN, { { INSERT, 1, 1, 9 }, { INSERT, 1, 1, 10 } } },
	{ "a full page, and taking it", PLAIN, { { INSERT, 1, 1, 9 }, { TAKE, 1, 1, 0 } } },
	{ "a page, and who stores to it and syncs that", PLAIN,
	  { { POPULATE, 1, 1, 0 }, { SYNC, 1, 1, 9 } } },
	{ "several pages, and the same", PLAIN, { { POPULATE, 3, 6, 0 }, { SYNC, 5, 5, 9 } } },
	{ "a page without a table, and the same", DEEP,
	  { { POPULATE, 1024, 1024, 0 }, { SYNC, 1024, 1024, 9 } } },
	{ "a page behind the end, and the same", PLAIN,
	  { { POPULATE, 600, 600, 0 }, { SYNC, 600, 600, 9 } } },
	{ "a full page, and the same", PLAIN, { { INSERT, 1, 1, 10 }, { SYNC, 1, 1, 9 } } },
	{ "a frame, twice", PLAIN, { { ALLOC, 1, 0, 0 }, { ALLOC, 1, 0, 0 } } },
	{ "the last frame, twice", ONE_LEFT, { { ALLOC, 1, 0, 0 }, { ALLOC, 1, 0, 0 } } },
	{ "more frames than there are", PLAIN, { { ALLOC, WIDE, 0, 0 }, { ALLOC, WIDE, 0, 0 } } },
	{ "a frame, and freeing one", PLAIN, { { ALLOC, 1, 0, 0 }, { FREE, 0, 0, 0 } } },
	{ "a frame without room, and freeing one", FULL, { { ALLOC, 1, 0, 0 }, { FREE, 0, 0, 0 } } },
	{ "the last frame, and freeing one", ONE_LEFT, { { ALLOC, 3, 0, 0 }, { FREE, 0, 0, 0 } } },
	{ "freeing one twice", PLAIN, { { FREE, 0, 0, 0 }, { FREE, 0, 0, 0 } } },
};

static const u64 watched[] = { 0, 1, 2, 3, 4, 5, 6, 7, 513, 600, 1024, 1025, 512 * 512 };
#define WATCHED	(sizeof(watched) / sizeof(*watched))
#define ABSENT	(-1)

static const struct pair *pair;
static struct disk disk;
static ucontext_t scheduler, context[2];
static char stack[2][STACK];
static unsigned int me;
static bool running, through[2];
static int result[2];
static u64 got[2][64];		/* frames */
static u64 spare;		/* one that is in use, to be freed */
static bool private[MEDIUM_FRAMES];

/* The order: stay or switch, at each decision; those up to @known were judged before. */
static unsigned char choices[DECISIONS];
static unsigned int decisions;
static int known;

/* As it was before, to begin with each time. */
static char saved[MEDIUM_BYTES];
static u64 saved_words[MORSEL_AREA_WORDS];
static struct morsel_pool_area saved_area;
static struct morsel_pool_hint saved_hint;
static int was[WATCHED];
static size_t others;		/* length of the text of all other files */

static bool of_frames(void)
{
	return pair->of[0].what >= ALLOC;
}

static bool covers(const struct act *of, u64 page)
{
	return of->what <= TAKE && of->first <= page && page <= of->last;
}

/* The frame of the pool that something lies in, or MEDIUM_FRAMES. */
static unsigned int frame_of(const void *p)
{
	size_t at = (const char *)p - (char *)medium_memory();

	return (const char *)p < (char *)medium_memory() || at >= MEDIUM_BYTES ?
		       MEDIUM_FRAMES : at / MORSEL_PAGE_SIZE;
}

static bool everybodys(const void *p)
{
	unsigned int frame = frame_of(p);

	return frame == MEDIUM_FRAMES ? of_frames() : !private[frame];
}

/* A store: what it names all can see from now on, if they can see the store. */
static bool worth(const void *p)
{
	u64 named = morsel_entry_pfn(*(const u64 *)((uintptr_t)p & ~7ul)) - medium_base;

	if (!everybodys(p))
		return false;
	if (named < MEDIUM_FRAMES)
		private[named] = false;
	return (int)decisions > known;
}

static void turn(const void *p)
{
	unsigned int self = me;

	if (!running || through[!self] || !everybodys(p))
		return;
	if (decisions == DECISIONS)
		bail("%s: too many steps", pair->name);
	if (!choices[decisions++])
		return;
	me = !self;
	swapcontext(&context[self], &context[me]);
}

static const struct medium_racing racing = { worth, turn };

/* Frames that are new are nobody else's. */
static const struct morsel_source_ops *real;
static struct morsel_source_ops ours;

static int table_alloc(struct morsel_source *source, unsigned int level, u64 *frame)
{
	int err = real->table_alloc(source, level, frame);

	if (!err)
		private[*frame - medium_base] = true;
	return err;
}

static int pages_alloc(struct morsel_source *source, u64 index, void *hint, u64 *frames,
		       unsigned int count)
{
	int n = real->pages_alloc(source, index, hint, frames, count);

	for (int i = 0; i < n; i++)
		private[frames[i] - medium_base] = true;
	return n;
}

struct taken {
	u64 frames[8];
	unsigned int count;
};

static void take(void *ctx, u64 frame)
{
	struct taken *taken = ctx;

	taken->frames[taken->count++] = frame;
}

static int take_out(struct morsel_tree *tree, u64 first, u64 last)
{
	struct taken taken = { .count = 0 };
	unsigned int i;

	morsel_tree_take(tree, first, last, take, &taken);
	for (i = 0; i < taken.count; i++)
		medium_source.ops->page_free(&medium_source, taken.frames[i]);
	return taken.count;
}

static int insert(struct morsel_tree *tree, u64 page, unsigned char value)
{
	u64 frame;
	int ret = medium_source.ops->pages_alloc(&medium_source, page, NULL, &frame, 1);

	if (ret < 0)
		return ret;
	memset(morsel_frame_table(frame), value, MORSEL_PAGE_SIZE);
	if (medium_source.persist)
		medium_source.persist(morsel_frame_table(frame), MORSEL_PAGE_SIZE);
	return morsel_tree_insert(tree, page, frame);
}

/* As by a program that has the table, if the page is in there. */
static int store_and_sync(struct morsel_tree *tree, u64 page, unsigned char value)
{
	u64 frame = morsel_tree_lookup(tree, page);

	if (frame == MORSEL_PFN_NONE)
		return 0;
	morsel_plat_store(morsel_frame_table(frame), value);
	morsel_tree_settle(tree, page);
	if (medium_source.persist)
		medium_source.persist(morsel_frame_table(frame), sizeof(u64));
	return 1;
}

static int operate(const struct act *of, u64 *frames)
{
	struct morsel_tree tree;
	u64 table;

	if (of->what == ALLOC)
		return morsel_pool_frames_alloc(&disk.pool.frames, 0, frames, of->first);
	if (of->what == FREE)
		return morsel_pool_frames_free(&disk.pool.frames, spare);
	tree = disk_tree(&disk, "z");
	switch (of->what) {
	case POPULATE:
		return morsel_tree_populate(&tree, of->first, of->last, NULL);
	case INSERT:
		return insert(&tree, of->first, of->value);
	case SYNC:
		return store_and_sync(&tree, of->first, of->value);
	case TAKE:
		return take_out(&tree, of->first, of->last);
	default:
		return morsel_tree_table(&tree, 0, of->first, &table);
	}
}

static u64 hash(const void *image)
{
	const u64 *words = image;
	u64 h[4] = { through[0], through[1], (unsigned int)result[0], (unsigned int)result[1] };
	size_t n = medium_used() / sizeof(u64), i;

	for (i = 0; i < n; i++)
		h[i % 4] = (h[i % 4] ^ words[i]) * 0x9e3779b97f4a7c15ull ^ h[i % 4] >> 29;
	for (i = 1; i < 4; i++)
		h[0] = (h[0] ^ h[i]) * 0x9e3779b97f4a7c15ull ^ h[0] >> 31;
	return h[0] | 1;
}

static u64 seen[SEEN];
static unsigned int seens;

static bool seen_before(const void *image)
{
	u64 h = hash(image);
	unsigned int at = h >> 40;

	if (seens > SEEN / 2) {
		memset(seen, 0, sizeof(seen));
		seens = 0;
	}
	for (at %= SEEN; seen[at]; at = (at + 1) % SEEN)
		if (seen[at] == h)
			return true;
	seen[at] = h;
	seens++;
	return false;
}

static void judge_new(void *image)
{
	if (seen_before(image))
		medium_skip();
	else
		judge(image);
}

static void begin(unsigned int which)
{
	result[which] = operate(&pair->of[which], got[which]);
	through[which] = true;
	if (!of_frames() && (int)decisions > known)
		medium_look(judge_new);
	me = !which;
	setcontext(through[!which] ? &scheduler : &context[!which]);
}

static void start(unsigned int which)
{
	/* Who was there last has left it without returning. */
	ASAN_UNPOISON_MEMORY_REGION(stack[which], STACK);
	getcontext(&context[which]);
	context[which].uc_stack.ss_sp = stack[which];
	context[which].uc_stack.ss_size = STACK;
	makecontext(&context[which], (void (*)(void))begin, 1, which);
	through[which] = false;
	result[which] = 0;
}

/* Both, in the order that @choices says; the first one is who begins. */
static void run(void)
{
	struct morsel_pool_frames *frames = &disk.pool.frames;

	medium_copy(medium_memory(), saved);
	memcpy(frames->words, saved_words, sizeof(saved_words));
	*frames->areas = saved_area;
	*frames->hints = saved_hint;
	medium_use(&disk.pool);
	memset(private, 0, sizeof(private));
	medium_arm(judge_new);
	start(0);
	start(1);
	decisions = 1;
	me = choices[0];
	running = true;
	medium_racing = &racing;
	swapcontext(&scheduler, &context[me]);
	medium_racing = NULL;
	running = false;
	medium_disarm();
}

static int value_of(const struct morsel_tree *tree, u64 page)
{
	u64 frame = morsel_tree_lookup(tree, page);

	return frame == MORSEL_PFN_NONE ? ABSENT : *(unsigned char *)morsel_frame_table(frame);
}

/* What a page that is so becomes by an operation. */
static int becomes(unsigned int which, int value)
{
	const struct act *of = &pair->of[which];

	if (of->what == TAKE)
		return ABSENT;
	/* Who has stored to it had it. */
	if (of->what == SYNC)
		return result[which] || value != ABSENT ? of->value : ABSENT;
	if (value != ABSENT)
		return value;
	return of->what == INSERT ? of->value : 0;
}

/*
 * Can a page be so?  It can be what any of the two made of it, one after the other, or
 * none; those that are through have been done.
 */
static bool possible(unsigned int i, int value)
{
	bool touches[2];
	unsigned int done, order;

	for (done = 0; done < 2; done++)
		touches[done] = covers(&pair->of[done], watched[i]) && result[done] >= 0 &&
				(pair->of[done].what != SYNC || !through[done] ||
				 result[done]);
	for (done = 0; done < 4; done++) {
		if ((through[0] && !(done & 1)) || (through[1] && !(done & 2)))
			continue;
		for (order = 0; order < 2; order++) {
			int is = was[i];

			for (unsigned int n = 0; n < 2; n++)
				if (done >> (n ^ order) & 1 && touches[n ^ order])
					is = becomes(n ^ order, is);
			if (is == value)
				return true;
		}
	}
	return false;
}

static bool as_expected(struct disk *found)
{
	struct morsel_tree tree = disk_tree(found, "z");
	static char text[TEXT];
	unsigned int i;

	disk_text(found, text, sizeof(text));
	if (strncmp(text, judge_before, others)) {
		note("another file is not as it was");
		return false;
	}
	for (i = 0; i < WATCHED; i++) {
		int value = value_of(&tree, watched[i]);

		if (possible(i, value))
			continue;
		note("page %llu was %d and is %d; through: %d %d",
		     (unsigned long long)watched[i], was[i], value, through[0], through[1]);
		return false;
	}
	for (i = 0; i < 2; i++)
		if (through[i] && pair->of[i].what == GROW && !result[i] &&
		    morsel_tree_order(&tree) < pair->of[i].first) {
			note("did not grow");
			return false;
		}
	return true;
}

/* Frames are given out once, and as many are left as were not. */
static bool frames_right(void)
{
	struct morsel_pool_frames *frames = &disk.pool.frames;
	bool out[MEDIUM_FRAMES] = { false };
	u64 left = 0, all[64];
	unsigned int i, which, n, freed = 0, allocated = 0;

	for (which = 0; which < 2; which++) {
		if (pair->of[which].what == FREE) {
			freed += result[which];
			continue;
		}
		for (i = 0; i < (unsigned int)result[which]; i++) {
			u64 frame = got[which][i];

			if (out[frame])
				return false;
			out[frame] = true;
			if (saved_words[frame / 64] >> frame % 64 & 1 && frame != spare)
				return false;
			allocated++;
		}
	}
	/* One succeeds: there is a frame, and to free one is no failure. */
	if (freed > 1 || (pair->of[1].what == FREE && !freed))
		return false;
	if (pair->of[0].what == ALLOC && saved_area.free && !allocated)
		return false;
	left = morsel_pool_frames_left(frames);
	if (left != saved_area.free + freed - allocated)
		return false;
	while ((n = morsel_pool_frames_alloc(frames, 0, all, 64)))
		for (i = 0; i < n; i++, left--)
			if (out[all[i]])
				return false;
	return !left;
}

static void one(void)
{
	static unsigned int shown;
	bool right;
	unsigned int before = judge_violations;

	run();
	right = of_frames() ? frames_right() : !judge_leaks(&disk);
	if (!right)
		judge_violations++;
	if (judge_violations == before || shown++ >= 10)
		return;
	if (!right)
		note("%s: frames are lost or in use twice", judge_doing);
	printf("# order:");
	for (unsigned int i = 0; i < decisions; i++)
		printf(" %d", choices[i]);
	putchar('\n');
}

static void use_up(u64 left)
{
	u64 page = 0;

	while (morsel_pool_frames_left(&disk.pool.frames) > left)
		if (disk_write(&disk, "b", page++, 4))
			bail("no room too early");
}

static void prepare(void)
{
	struct morsel_tree tree;
	u64 page;

	medium_reset();
	if (disk_format(&disk))
		bail("no pool");
	disk_create(&disk, "b", 0100600);
	disk_create(&disk, "z", 0100644);
	disk_write(&disk, "b", 0, 4);
	if (pair->base != ROOTLESS) {
		disk_write(&disk, "z", 0, 1);
		disk_write(&disk, "z", 2, 3);
	}
	if (pair->base == DEEP)
		disk_write(&disk, "z", 600, 5);
	disk_truncate(&disk, "z", 512ull * 512 * 2);
	morsel_pool_frames_alloc(&disk.pool.frames, 0, &spare, 1);
	if (pair->base >= FULL)
		use_up(pair->base == ONE_LEFT);
	if (!of_frames())
		morsel_pool_frames_free(&disk.pool.frames, spare);
	if (!of_frames() && pair->base >= FULL)
		use_up(pair->base == ONE_LEFT);

	disk_text(&disk, judge_before, sizeof(judge_before));
	others = strstr(judge_before, "\nz ") - judge_before;
	tree = disk_tree(&disk, "z");
	for (page = 0; page < WATCHED; page++)
		was[page] = value_of(&tree, watched[page]);
	memcpy(saved, medium_memory(), sizeof(saved));
	memcpy(saved_words, disk.pool.frames.words, sizeof(saved_words));
	saved_area = *disk.pool.frames.areas;
	saved_hint = *disk.pool.frames.hints;
}

/*
 * The next order, with at most so many switches: the last decision to stay becomes one to
 * switch, and all after it are to stay.  Who begins is no switch.
 */
static bool next(unsigned int switches)
{
	unsigned int at, before = 0, i;

	for (i = 1; i < decisions; i++)
		before += choices[i];
	for (i = decisions; i; i--) {
		at = i - 1;
		before -= at && choices[at];
		if (!choices[at] && (!at || before < switches)) {
			choices[at] = 1;
			known = at ? (int)at : -1;
			return true;
		}
		choices[at] = 0;
	}
	return false;
}

static unsigned long explore(unsigned int switches, unsigned int more)
{
	unsigned long states = medium_states(), orders = 0;
	unsigned int i, n, most = 0;

	judge_violations = 0;
	judge_doing = pair->name;
	prepare();
	memset(seen, 0, sizeof(seen));
	seens = 0;
	memset(choices, 0, sizeof(choices));
	known = -1;
	do {
		one();
		orders++;
		if (decisions > most)
			most = decisions;
	} while (!judge_violations && next(switches));
	known = -1;
	for (n = 0; n < more && !judge_violations; n++, orders++) {
		for (i = 0; i < DECISIONS; i++)
			choices[i] = random() % 3 == 0;
		one();
	}
	disk_close(&disk);
	ok(!judge_violations, "%s, %s: %lu orders of up to %u decisions, %lu states", pair->name,
	   medium_adr ? "caches lost" : "caches kept", orders, most, medium_states() - states);
	return orders;
}

unsigned long pairs(unsigned int switches, unsigned int more, bool kept_only)
{
	unsigned long orders = 0;
	unsigned int i;

	real = medium_source.ops;
	ours = *real;
	ours.table_alloc = table_alloc;
	ours.pages_alloc = pages_alloc;
	medium_source.ops = &ours;
	judge_otherwise = as_expected;
	for (int adr = 0; adr < 2 - kept_only; adr++) {
		medium_adr = adr;
		for (i = 0; i < sizeof(all_pairs) / sizeof(*all_pairs); i++) {
			pair = &all_pairs[i];
			/* Nothing is written for these. */
			if (adr && of_frames())
				continue;
			orders += explore(switches, more);
			judge_end_if_failed();
		}
	}
	judge_otherwise = NULL;
	medium_source.ops = real;
	return orders;
}
