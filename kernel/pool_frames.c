// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool_frames.c - which frames of a pool are in use
 *
 * A bit for each frame, in volatile memory.  That a frame is in use is said on the
 * medium by what names it, and by nothing else: recovery finds that out again, and
 * fills the bits in.  So to allocate and to free writes nothing to the medium, no
 * crash can make the two disagree, and a frame that nobody names yet, or any more,
 * is free after one.
 *
 * Lock-free.  To allocate is one compare-and-swap of a word, which takes up to 64
 * frames at once; to free is one atomic operation on it.  Each processor has an
 * area of its own to allocate in once it has gone on from where it began, so that
 * processors seldom share a line unless few areas are left; any may free anywhere.
 * Source: LLFree (Wrenger 2022), of which these are the reservation and the bit field.
 *
 * A successful swap that sets a bit pairs with the one that clears it: who gets the
 * frame sees all that was written before it was freed.
 */
#include "pool_frames.h"

#define WORD_FULL	(~0ull)

static u64 words_for(u64 count)
{
	return (count + MORSEL_WORD_FRAMES - 1) / MORSEL_WORD_FRAMES;
}

static u64 areas_for(u64 count)
{
	return (count + MORSEL_AREA_FRAMES - 1) / MORSEL_AREA_FRAMES;
}

/**
 * morsel_pool_frames_init() - all frames free, for recovery to say which are not
 * @frames:     to be initialised
 * @count:      how many there are, at least 1
 * @processors: how many allocate, at least 1
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int morsel_pool_frames_init(struct morsel_pool_frames *frames, u64 count,
			    unsigned int processors)
{
	u64 words = areas_for(count) * MORSEL_AREA_WORDS, i;

	frames->count = count;
	frames->processors = processors;
	frames->words = morsel_plat_zalloc(words, sizeof(*frames->words));
	frames->areas = morsel_plat_zalloc(areas_for(count), sizeof(*frames->areas));
	frames->hints = morsel_plat_zalloc(processors, sizeof(*frames->hints));
	if (!frames->words || !frames->areas || !frames->hints) {
		morsel_pool_frames_exit(frames);
		return -ENOMEM;
	}
	for (i = words_for(count); i < words; i++)
		frames->words[i] = WORD_FULL;
	if (count % MORSEL_WORD_FRAMES)
		frames->words[count / MORSEL_WORD_FRAMES] =
			WORD_FULL << count % MORSEL_WORD_FRAMES;
	return 0;
}

/**
 * morsel_pool_frames_exit() - undo morsel_pool_frames_init()
 * @frames: nobody uses it any more
 */
void morsel_pool_frames_exit(struct morsel_pool_frames *frames)
{
	morsel_plat_free(frames->words);
	morsel_plat_free(frames->areas);
	morsel_plat_free(frames->hints);
	frames->words = NULL;
	frames->areas = NULL;
	frames->hints = NULL;
}

/**
 * morsel_pool_frames_mark_word() - recovery has found frames in use
 * @frames: before morsel_pool_frames_start(); several may mark at once
 * @word:   number of the first of 64 frames, divided by 64
 * @bits:   which of them, all below the count
 *
 * Return: false when one of them was in use already.
 */
bool morsel_pool_frames_mark_word(struct morsel_pool_frames *frames, u64 word, u64 bits)
{
	return !(morsel_plat_fetch_or(&frames->words[word], bits) & bits);
}

/**
 * morsel_pool_frames_mark() - recovery has found a frame in use
 * @frames: as above
 * @frame:  below the count
 *
 * Return: false when it was in use already.
 */
bool morsel_pool_frames_mark(struct morsel_pool_frames *frames, u64 frame)
{
	return morsel_pool_frames_mark_word(frames, frame / MORSEL_WORD_FRAMES,
					    1ull << frame % MORSEL_WORD_FRAMES);
}

/**
 * morsel_pool_frames_start() - recovery is done, allocation may begin
 * @frames: with all that is in use marked
 */
void morsel_pool_frames_start(struct morsel_pool_frames *frames)
{
	u64 areas = areas_for(frames->count), i;
	unsigned int p;

	for (i = 0; i < areas * MORSEL_AREA_WORDS; i++)
		frames->areas[i / MORSEL_AREA_WORDS].free +=
			morsel_plat_weight(~frames->words[i]);
	for (p = 0; p < frames->processors; p++)
		frames->hints[p].word = p * areas / frames->processors * MORSEL_AREA_WORDS;
}

/**
 * morsel_pool_frames_withdraw() - nobody is to get a frame
 * @frames: after morsel_pool_frames_start()
 * @frame:  below the count
 *
 * Return: false when it is in use.
 */
bool morsel_pool_frames_withdraw(struct morsel_pool_frames *frames, u64 frame)
{
	if (!morsel_pool_frames_mark(frames, frame))
		return false;
	morsel_plat_add32(&frames->areas[frame / MORSEL_AREA_FRAMES].free, -1);
	return true;
}

/* Take up to @count frames of a word; returns how many. */
static unsigned int word_take(struct morsel_pool_frames *frames, u64 index, u64 *out,
			      unsigned int count)
{
	u64 *word = &frames->words[index];
	u64 old = READ_ONCE(*word), seen, taken, rest;
	unsigned int i;

	for (;;) {
		rest = ~old;
		if (!rest)
			return 0;
		for (i = 0; i < count && rest; i++)
			rest &= rest - 1;
		taken = ~old & ~rest;
		seen = morsel_plat_cmpxchg(word, old, old | taken);
		if (seen == old)
			break;
		old = seen;
	}
	for (i = 0; taken; i++) {
		out[i] = index * MORSEL_WORD_FRAMES + morsel_plat_lowest(taken);
		taken &= taken - 1;
	}
	morsel_plat_add32(&frames->areas[index / MORSEL_AREA_WORDS].free, -(int)i);
	return i;
}

/* A word of the area that has a free frame, from @index on and round; or @index. */
static unsigned int area_take(struct morsel_pool_frames *frames, u64 *index, u64 *out,
			      unsigned int count)
{
	u64 first = *index / MORSEL_AREA_WORDS * MORSEL_AREA_WORDS;
	unsigned int i, got;

	for (i = 0; i < MORSEL_AREA_WORDS; i++) {
		u64 at = first + (*index + i) % MORSEL_AREA_WORDS;

		got = word_take(frames, at, out, count);
		if (got) {
			*index = at;
			return got;
		}
	}
	return 0;
}

/* May a processor allocate in an area: is it nobody's, or does nobody matter? */
static bool area_enter(struct morsel_pool_area *area, unsigned int processor, bool any)
{
	if (READ_ONCE(area->free) <= 0)
		return false;
	return any || morsel_plat_cmpxchg32(&area->owner, 0, processor + 1) == 0;
}

static void area_leave(struct morsel_pool_area *area, unsigned int processor)
{
	morsel_plat_cmpxchg32(&area->owner, processor + 1, 0);
}

/**
 * morsel_pool_frames_alloc() - take frames
 * @frames:    the pool's
 * @processor: the one that asks, or another one: only a hint
 * @out:       out: the frames, in ascending order
 * @count:     how many, 1 to 64
 *
 * Context: any.
 * Return: how many there were, maybe fewer than @count; 0: none was found, which can
 * be so, too, while others free and allocate the last ones.
 */
unsigned int morsel_pool_frames_alloc(struct morsel_pool_frames *frames,
				      unsigned int processor, u64 *out,
				      unsigned int count)
{
	struct morsel_pool_hint *hint = &frames->hints[processor];
	u64 index = READ_ONCE(hint->word), areas = areas_for(frames->count);
	u64 area = index / MORSEL_AREA_WORDS, was, i;
	unsigned int got = word_take(frames, index, out, count), pass;

	if (got)
		return got;
	got = area_take(frames, &index, out, count);
	if (got)
		goto out;
	area_leave(&frames->areas[area], processor);
	/* One that is nobody's, then any at all. */
	for (pass = 0; pass < 2; pass++) {
		for (i = 1; i <= areas; i++) {
			u64 next = (area + i) % areas;

			if (!area_enter(&frames->areas[next], processor, pass))
				continue;
			index = next * MORSEL_AREA_WORDS;
			got = area_take(frames, &index, out, count);
			if (got)
				goto out;
			area_leave(&frames->areas[next], processor);
		}
	}
	return 0;
out:
	/* Another one that names this processor may have gone on meanwhile, too. */
	was = morsel_plat_xchg(&hint->word, index) / MORSEL_AREA_WORDS;
	if (was != area && was != index / MORSEL_AREA_WORDS)
		area_leave(&frames->areas[was], processor);
	return got;
}

/**
 * morsel_pool_frames_free() - give a frame back
 * @frames: the pool's
 * @frame:  nothing on the medium names it any more, and that is durable
 *
 * Context: any.
 * Return: false when it is free already, or none: who says so is mistaken.
 */
bool morsel_pool_frames_free(struct morsel_pool_frames *frames, u64 frame)
{
	u64 bit = 1ull << frame % MORSEL_WORD_FRAMES;
	int *free = &frames->areas[frame / MORSEL_AREA_FRAMES].free;

	if (frame >= frames->count)
		return false;
	/* In this order: that there are fewer than it says costs no more than a look. */
	morsel_plat_add32(free, 1);
	if (morsel_plat_fetch_andnot(&frames->words[frame / MORSEL_WORD_FRAMES], bit) & bit)
		return true;
	morsel_plat_add32(free, -1);
	return false;
}

/**
 * morsel_pool_frames_left() - how many are free
 * @frames: the pool's
 *
 * Return: exact when nobody allocates or frees.
 */
u64 morsel_pool_frames_left(const struct morsel_pool_frames *frames)
{
	u64 areas = areas_for(frames->count), i;
	s64 left = 0;

	for (i = 0; i < areas; i++)
		left += READ_ONCE(frames->areas[i].free);
	return left < 0 ? 0 : left;
}
