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
#include <linux/types.h>

#define MORSEL_PFN_MASK		((u64)PTE_PFN_MASK)
#define xchg64(p, v)		xchg(p, v)

/* The table in a frame, through the kernel's direct map. */
static inline u64 *morsel_frame_table(u64 pfn)
{
	return __va(PFN_PHYS(pfn));
}

#else /* user space */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

#define MORSEL_PFN_MASK		0x000ffffffffff000ull
#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), #cond)
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELEASE)
#define cond_resched()		do { } while (0)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define noinline

static inline u64 min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 cmpxchg64(u64 *p, u64 old, u64 new)
{
	__atomic_compare_exchange_n(p, &old, new, false, __ATOMIC_ACQ_REL,
				    __ATOMIC_ACQUIRE);
	return old;
}

static inline u64 xchg64(u64 *p, u64 v)
{
	return __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL);
}

/* CRC-32 as of IEEE 802.3, least significant bit first. */
static inline u32 crc32_le(u32 crc, const u8 *p, size_t len)
{
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
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
