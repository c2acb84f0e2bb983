// SPDX-License-Identifier: GPL-2.0-only
/* pool-frames.c - frames of a pool: none is handed out twice, none is lost */
#include <pthread.h>
#include <sched.h>

#include "pool_frames.h"
#include "tap.h"

#define THREADS	4
#define ROUNDS	40000u
#define MOST	300u	/* that a thread has at a time */

static struct morsel_pool_frames frames;
static unsigned char *owner;	/* of each frame, 1 + a thread, or 0 */
static bool alike;		/* all threads say that they are the same processor */

static void all_of_it(u64 count)
{
	u64 out[64], total = 0, i;
	unsigned int got, wrong = 0;

	ok(!morsel_pool_frames_init(&frames, count, 2), "%llu frames",
	   (unsigned long long)count);
	for (i = 0; i < count; i += 3)
		wrong += !morsel_pool_frames_mark(&frames, i);
	wrong += morsel_pool_frames_mark(&frames, 0);
	ok(!wrong, "every third is in use, as recovery found");
	morsel_pool_frames_start(&frames);
	ok(morsel_pool_frames_left(&frames) == count - (count + 2) / 3, "the others are free");
	owner = calloc(count, 1);
	while ((got = morsel_pool_frames_alloc(&frames, total % 2, out, 1 + total % 64)))
		for (i = 0; i < got; i++) {
			wrong += out[i] >= count || out[i] % 3 == 0 || owner[out[i]];
			owner[out[i]] = 1;
			total++;
		}
	ok(!wrong, "each of them is handed out once");
	ok(total == count - (count + 2) / 3, "and all are");
	ok(!morsel_pool_frames_left(&frames), "none is left");
	for (i = 0; i < count; i++)
		wrong += !morsel_pool_frames_free(&frames, i);
	wrong += morsel_pool_frames_free(&frames, count);
	wrong += morsel_pool_frames_free(&frames, count - 1);
	ok(!wrong, "freeing one twice, or one that is none, is noticed");
	ok(morsel_pool_frames_left(&frames) == count, "given back");
	ok(morsel_pool_frames_alloc(&frames, 0, out, 64) > 0, "and handed out again");
	morsel_pool_frames_exit(&frames);
	free(owner);
}

/* Takes and gives back at random; what it has nobody else has. */
static void *worker(void *arg)
{
	unsigned int me = (long)arg, have = 0, seed = me + 1, i, n;
	u64 mine[MOST + 64];
	long wrong = 0;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		seed = seed * 1103515245u + 12345u;
		if (have < MOST && seed >> 16 & 1) {
			n = morsel_pool_frames_alloc(&frames, alike ? 0 : me,
						     mine + have, 1 + (seed >> 20) % 64);
			for (i = 0; i < n; i++)
				wrong += __atomic_exchange_n(&owner[mine[have + i]], me + 1,
							     __ATOMIC_RELAXED) != 0;
			have += n;
		} else if (have) {
			i = (seed >> 17) % have;
			wrong += __atomic_exchange_n(&owner[mine[i]], 0, __ATOMIC_RELAXED) !=
				 me + 1;
			morsel_pool_frames_free(&frames, mine[i]);
			mine[i] = mine[--have];
		}
	}
	while (have) {
		__atomic_store_n(&owner[mine[--have]], 0, __ATOMIC_RELAXED);
		morsel_pool_frames_free(&frames, mine[have]);
	}
	return (void *)wrong;
}

/* With so few frames that threads meet in all of them, or with room. */
static void threads(u64 count)
{
	pthread_t ids[THREADS];
	unsigned int owned = 0, used = 0;
	long wrong = 0;
	void *ret;
	u64 i;

	morsel_pool_frames_init(&frames, count, THREADS);
	/* So few in each area that threads have to go on all the time. */
	for (i = 0; alike && i < count; i++)
		if (i % MORSEL_WORD_FRAMES)
			used += morsel_pool_frames_mark(&frames, i);
	morsel_pool_frames_start(&frames);
	owner = calloc(count, 1);
	for (long t = 0; t < THREADS; t++)
		pthread_create(&ids[t], NULL, worker, (void *)t);
	for (int t = 0; t < THREADS; t++) {
		pthread_join(ids[t], &ret);
		wrong += (long)ret;
	}
	ok(!wrong, "%llu frames, %d threads: no frame has two owners",
	   (unsigned long long)count, THREADS);
	ok(morsel_pool_frames_left(&frames) == count - used, "and none is lost");
	for (i = 0; i < (count + MORSEL_AREA_FRAMES - 1) / MORSEL_AREA_FRAMES; i++)
		owned += frames.areas[i].owner != 0;
	ok(owned <= (alike ? 1 : THREADS), "no area is kept for nobody");
	morsel_pool_frames_exit(&frames);
	free(owner);
}

int main(void)
{
	static const u64 counts[] = { 1, 63, 64, 65, 4095, 4096, 4097, 100000 };

	for (unsigned int i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		all_of_it(counts[i]);
	threads(500);
	threads(9000);
	threads(64 * 4096);
	alike = true;
	threads(64 * 4096);
	threads(16 * 4096 + 100);
	return done();
}
