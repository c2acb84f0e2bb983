/* SPDX-License-Identifier: GPL-2.0-only */
/* pool_frames.h - which frames of a pool are in use */
#ifndef MORSEL_POOL_FRAMES_H
#define MORSEL_POOL_FRAMES_H

#include "entry.h"

/* Frames that one word tells of, and words of an area: 256 KiB and 16 MiB. */
#define MORSEL_WORD_FRAMES	64u
#define MORSEL_AREA_WORDS	64u
#define MORSEL_AREA_FRAMES	(MORSEL_WORD_FRAMES * MORSEL_AREA_WORDS)

/**
 * struct morsel_pool_area - what is known of the frames of an area as a whole
 * @free:  how many are free; may lag behind the words, never for good
 * @owner: 1 + the processor that allocates there, or 0
 */
struct morsel_pool_area {
	int free;
	u32 owner;
};

/**
 * struct morsel_pool_hint - where a processor allocates
 * @word: index of the word that it looks at first
 * @pad:  others have lines of their own
 */
struct morsel_pool_hint {
	u64 word;
	u64 pad[7];
};

/**
 * struct morsel_pool_frames - which frames of a pool are in use
 * @count: frames, from 0 on
 * @words: a bit for each, set when it is in use, and behind the last
 * @areas: see &struct morsel_pool_area
 * @hints: one for each processor
 * @processors: how many there are
 */
struct morsel_pool_frames {
	u64 count;
	u64 *words;
	struct morsel_pool_area *areas;
	struct morsel_pool_hint *hints;
	unsigned int processors;
};

int morsel_pool_frames_init(struct morsel_pool_frames *frames, u64 count,
			    unsigned int processors);
void morsel_pool_frames_exit(struct morsel_pool_frames *frames);
bool morsel_pool_frames_mark_word(struct morsel_pool_frames *frames, u64 word, u64 bits);
bool morsel_pool_frames_mark(struct morsel_pool_frames *frames, u64 frame);
void morsel_pool_frames_start(struct morsel_pool_frames *frames);
bool morsel_pool_frames_withdraw(struct morsel_pool_frames *frames, u64 frame);
unsigned int morsel_pool_frames_alloc(struct morsel_pool_frames *frames,
				      unsigned int processor, u64 *out,
				      unsigned int count);
bool morsel_pool_frames_free(struct morsel_pool_frames *frames, u64 frame);
u64 morsel_pool_frames_left(const struct morsel_pool_frames *frames);

static inline bool morsel_pool_frames_used(const struct morsel_pool_frames *frames,
					   u64 frame)
{
	return READ_ONCE(frames->words[frame / MORSEL_WORD_FRAMES]) >>
	       frame % MORSEL_WORD_FRAMES & 1;
}

#endif /* MORSEL_POOL_FRAMES_H */
