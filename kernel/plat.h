/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plat.h - what the pure layers (entry, id, meta, tree) need from their platform
 *
 * The same sources run in the kernel and, for tests under sanitizers, in user
 * space, where frames come from an arena that the test provides.
 */
#ifndef MORSEL_PLAT_H
#define MORSEL_PLAT_H

#ifdef __KERNEL__

#include <linux/atomic.h>
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/pfn.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/types.h>

#include "crash.h"

#define MORSEL_PFN_MASK		((u64)PTE_PFN_MASK)

/* The table in a frame, through the kernel's direct map. */
static inline u64 *morsel_frame_table(u64 pfn)
{
	return __va(PFN_PHYS(pfn));
}

static inline void *morsel_plat_zalloc(size_t n, size_t size)
{
	return kvcalloc(n, size, GFP_KERNEL);
}

/* All stores to what can be a medium are by one of these. */
static inline void morsel_plat_store(u64 *p, u64 v)
{
	WRITE_ONCE(*p, v);
	morsel_stored(p);
}

static inline void morsel_plat_publish(u64 *p, u64 v)
{
	/* What was written before is there for who reads this, now or after a crash. */
	smp_store_release(p, v);
	morsel_stored(p);
}

static inline u64 morsel_plat_cmpxchg(u64 *p, u64 old, u64 new)
{
	u64 was = cmpxchg64(p, old, new);

	if (was == old)
		morsel_stored(p);
	return was;
}

static inline u64 morsel_plat_xchg(u64 *p, u64 v)
{
	u64 was = xchg(p, v);

	morsel_stored(p);
	return was;
}

#define morsel_plat_free(p)		kvfree(p)
#define morsel_plat_fetch_or(p, v)	((u64)atomic64_fetch_or(v, (atomic64_t *)(p)))
#define morsel_plat_fetch_andnot(p, v)	((u64)atomic64_fetch_andnot(v, (atomic64_t *)(p)))
#define morsel_plat_add32(p, v)		atomic_add(v, (atomic_t *)(p))
#define morsel_plat_fetch_add32(p, v)	((u32)atomic_fetch_add(v, (atomic_t *)(p)))
#define morsel_plat_cmpxchg32(p, a, b)	cmpxchg(p, a, b)
#define morsel_plat_weight(v)		hweight64(v)
#define morsel_plat_lowest(v)		__ffs64(v)

#else /* user space */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t s64;
typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;

/*
 * A harness that stops after every store to a medium looks at it here, and one that
 * interleaves has another one go on, or does before an atomic operation.
 */
#ifdef MORSEL_STORES
void morsel_stored(const void *p);
void morsel_racing(const void *p);
#else
#define morsel_stored(p)	((void)(p))
#define morsel_racing(p)	((void)(p))
#endif

#define MORSEL_PFN_MASK		0x000ffffffffff000ull
#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), #cond)
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELEASE)
#define cond_resched()		do { } while (0)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define noinline

static inline void morsel_plat_store(u64 *p, u64 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
	morsel_stored(p);
}

static inline u64 min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 morsel_plat_cmpxchg(u64 *p, u64 old, u64 new)
{
	morsel_racing(p);
	if (__atomic_compare_exchange_n(p, &old, new, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		morsel_stored(p);
	return old;
}

static inline u64 morsel_plat_xchg(u64 *p, u64 v)
{
	u64 old;

	morsel_racing(p);
	old = __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL);
	morsel_stored(p);
	return old;
}

#define morsel_plat_zalloc(n, size)	calloc(n, size)
#define morsel_plat_publish(p, v)	morsel_plat_store(p, v)
#define morsel_plat_free(p)		free(p)
#define morsel_plat_weight(v)		((unsigned int)__builtin_popcountll(v))
#define morsel_plat_lowest(v)		((unsigned int)__builtin_ctzll(v))

static inline u64 morsel_plat_fetch_or(u64 *p, u64 v)
{
	morsel_racing(p);
	return __atomic_fetch_or(p, v, __ATOMIC_ACQ_REL);
}

static inline u64 morsel_plat_fetch_andnot(u64 *p, u64 v)
{
	morsel_racing(p);
	return __atomic_fetch_and(p, ~v, __ATOMIC_ACQ_REL);
}

static inline void morsel_plat_add32(int *p, int v)
{
	morsel_racing(p);
	__atomic_fetch_add(p, v, __ATOMIC_ACQ_REL);
}

static inline u32 morsel_plat_fetch_add32(u32 *p, u32 v)
{
	morsel_racing(p);
	return __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL);
}

static inline u32 morsel_plat_cmpxchg32(u32 *p, u32 old, u32 new)
{
	morsel_racing(p);
	__atomic_compare_exchange_n(p, &old, new, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE);
	return old;
}

/* CRC-32 as of IEEE 802.3, least significant bit first, by four bits at a time. */
static inline u32 crc32_le(u32 crc, const u8 *p, size_t len)
{
	static const u32 of[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ of[crc & 15];
		crc = crc >> 4 ^ of[crc & 15];
	}
	return crc;
}

/* The test's arena: a frame number is an index into it. */
extern u64 *morsel_arena;

static inline u64 *morsel_frame_table(u64 pfn)
{
	return morsel_arena + pfn * 512;
}

#endif /* __KERNEL__ */
#endif /* MORSEL_PLAT_H */
