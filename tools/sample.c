// SPDX-License-Identifier: GPL-2.0-only
/*
 * The morsels one may read, all at one time, and what became of them since an
 * earlier time.  Taken from the listing, which makes nobody a user of a morsel:
 * to watch one does not keep it from being destroyed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static int by_id(const void *a, const void *b)
{
	const struct morsel_info *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int sample_take(int dev, struct sample *sample)
{
	size_t room = sample->count = 0;
	struct morsel_info info;
	uint64_t cursor = 0;
	int ret;

	free(sample->infos);
	sample->infos = NULL;
	clock_gettime(CLOCK_MONOTONIC, &sample->time);
	while (!(ret = morsel_next(dev, &cursor, &info))) {
		if (sample->count == room) {
			room = room ? 2 * room : 64;
			sample->infos = reallocarray(sample->infos, room,
						     sizeof(info));
			if (!sample->infos)
				return fail("morsel", strerror(ENOMEM));
		}
		sample->infos[sample->count++] = info;
	}
	if (ret != -ENOENT)
		return fail_at(STEP_DEVICE, MORSEL_DEVICE, ret);
	if (sample->count)
		qsort(sample->infos, sample->count, sizeof(info), by_id);
	return EXIT_SUCCESS;
}

const struct morsel_info *sample_find(const struct sample *sample, uint64_t id)
{
	struct morsel_info key = { .id = id };

	return sample->count ? bsearch(&key, sample->infos, sample->count,
				       sizeof(key), by_id) :
			       NULL;
}

/* The parts of a snapshot are not of one instant: never below zero. */
static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

uint64_t frames_freed(const struct morsel_info *info)
{
	return less(info->allocated, info->data_frames);
}

uint64_t detached(const struct morsel_info *info)
{
	return less(info->attached, info->attachments);
}

struct rates rates_of(const struct morsel_info *now,
		      const struct morsel_info *then, double seconds)
{
	static const struct morsel_info none;

	/* New since then: all of it is. */
	if (!then)
		then = &none;
	return (struct rates){
		.allocated = less(now->allocated, then->allocated) / seconds,
		.freed = less(frames_freed(now), frames_freed(then)) / seconds,
		.attached = less(now->attached, then->attached) / seconds,
		.detached = less(detached(now), detached(then)) / seconds,
	};
}

double seconds_between(struct timespec from, struct timespec to)
{
	double seconds = to.tv_sec - from.tv_sec +
			 (to.tv_nsec - from.tv_nsec) * 1e-9;

	return seconds > 1e-9 ? seconds : 1e-9;
}

void pause_for(double seconds)
{
	struct timespec left = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (time_t)seconds) * 1e9),
	};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}
