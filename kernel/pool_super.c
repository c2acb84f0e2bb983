// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool_super.c - the super block of a pool: made, and judged
 */
#include "pool.h"

/* Flag bits of entries that processors change as they please: accessed, dirty. */
#define ENTRY_USED	0x60ull

static struct morsel_pool_super *super_of(u64 base)
{
	return (struct morsel_pool_super *)morsel_frame_table(base + MORSEL_POOL_SUPER);
}

static u32 super_checksum(const struct morsel_pool_super *super)
{
	struct morsel_pool_super copy = *super;

	copy.checksum = 0;
	return crc32_le(~0u, (const u8 *)&copy, offsetof(struct morsel_pool_super, base));
}

/**
 * morsel_pool_init() - begin with a pool, whatever is in it
 * @pool:   the pool; its @frames are made by who knows how many there are
 * @base:   number of its first frame
 * @source: gives out its frames; gets the pool's holes
 *
 * No frame is bad until &morsel_pool.bad is set.
 */
void morsel_pool_init(struct morsel_pool *pool, u64 base, struct morsel_source *source)
{
	pool->super = super_of(base);
	pool->base = base;
	pool->source = source;
	pool->persist = source->persist;
	pool->bad = NULL;
	source->hole[3] = morsel_entry_make(base + MORSEL_POOL_EMPTY2,
					    source->table_flags | ENTRY_USED);
	source->hole[4] = morsel_entry_make(base + MORSEL_POOL_EMPTY3,
					    source->table_flags | ENTRY_USED);
	morsel_tree_open(&pool->inodes, source, &pool->super->inodes);
}

/* The tables that stand in holes of others; see struct morsel_source. */
static void format_empty(struct morsel_pool *pool, unsigned int frame, u64 value)
{
	u64 *table = morsel_frame_table(pool->base + frame);
	unsigned int i;

	for (i = 0; i < MORSEL_ENTRIES; i++)
		morsel_plat_store(&table[i], value);
	morsel_pool_persist(pool, table, MORSEL_PAGE_SIZE);
}

/**
 * morsel_pool_format() - make an empty pool
 * @pool:   of morsel_pool_init(); all that was in it is lost
 * @frames: how many it has
 * @uuid:   tells it from others
 * @root:   attributes of the root directory
 *
 * What was a pool is none from the first store on, and becomes one by the last.
 *
 * Return: 0, or -ENOSPC when it is too small.
 */
int morsel_pool_format(struct morsel_pool *pool, u64 frames, const u8 *uuid,
		       const struct morsel_pool_attr *root)
{
	struct morsel_pool_super *super = pool->super;
	struct morsel_pool_super fresh = {
		.version = MORSEL_POOL_VERSION,
		.frames = frames,
		.base = pool->base,
		.moving = pool->base,
	};
	struct morsel_pool_inode *inode;
	u64 *to = (u64 *)super, *from = (u64 *)&fresh;
	unsigned int i;
	int err;

	if (frames < MORSEL_POOL_FIRST || frames != pool->frames.count ||
	    pool->base > MORSEL_POOL_NOWHERE - frames)
		return -ENOSPC;
	morsel_pool_commit(pool, &super->magic, 0);
	memcpy(fresh.uuid, uuid, sizeof(fresh.uuid));
	fresh.magic = MORSEL_POOL_MAGIC;
	fresh.checksum = super_checksum(&fresh);
	for (i = 1; i < sizeof(fresh) / sizeof(u64); i++)
		morsel_plat_store(&to[i], from[i]);
	morsel_pool_persist(pool, super, sizeof(*super));
	format_empty(pool, MORSEL_POOL_EMPTY2, 0);
	format_empty(pool, MORSEL_POOL_EMPTY3, pool->source->hole[3]);
	for (i = 0; i < MORSEL_POOL_FIRST; i++)
		morsel_pool_frames_mark(&pool->frames, i);
	morsel_pool_frames_start(&pool->frames);

	err = morsel_pool_inode_new(pool, MORSEL_POOL_ROOT, root, &inode);
	if (err)
		return err;
	morsel_pool_commit(pool, &super->magic, MORSEL_POOL_MAGIC);
	return 0;
}

/*
 * Can entries go by this number?  By that of a machine, all of whose numbers are below
 * the one that none has; or by that one.
 */
static bool base_valid(const struct morsel_pool_super *super, u64 base)
{
	return base == MORSEL_POOL_NOWHERE ||
	       (base < MORSEL_POOL_NOWHERE && super->frames <= MORSEL_POOL_NOWHERE - base);
}

/* By one of the two, unless there is only one: else they could not be told apart. */
static bool bases_valid(const struct morsel_pool_super *super)
{
	return base_valid(super, super->base) && base_valid(super, super->moving) &&
	       (super->base == super->moving || super->base == MORSEL_POOL_NOWHERE ||
		super->moving == MORSEL_POOL_NOWHERE);
}

static bool version_known(const struct morsel_pool_super *super)
{
	unsigned int i;

	for (i = 0; i < sizeof(super->reserved) / sizeof(*super->reserved); i++)
		if (super->reserved[i])
			return false;
	return super->version == MORSEL_POOL_VERSION && !super->features;
}

/**
 * morsel_pool_check_super() - is this a pool that can be used?
 * @pool:   of morsel_pool_init(); nothing is written to it
 * @frames: how many the device has
 * @why:    out: what is wrong
 *
 * A good one may have to be moved before it is used: see morsel_pool_moved().
 *
 * Return: 0, -EINVAL (no pool, or damaged), -EOPNOTSUPP (of another version, or
 * features that are unknown) or -EIO (it cannot be read).
 */
int morsel_pool_check_super(struct morsel_pool *pool, u64 frames, const char **why)
{
	const struct morsel_pool_super *super = pool->super;

	*why = "the super block is bad";
	if (morsel_pool_readable(pool, MORSEL_POOL_SUPER))
		return -EIO;
	*why = NULL;
	if (super->magic != MORSEL_POOL_MAGIC) {
		*why = "not a pool";
		return -EINVAL;
	}
	/* First, for another version may have its checksum elsewhere. */
	if (!version_known(super)) {
		*why = "a pool of another version";
		return -EOPNOTSUPP;
	}
	if (super->checksum != super_checksum(super)) {
		*why = "the super block is damaged";
		return -EINVAL;
	}
	if (super->frames > frames || super->frames < MORSEL_POOL_FIRST) {
		*why = "the pool is larger than the device";
		return -EINVAL;
	}
	if (!bases_valid(super) || pool->base > MORSEL_POOL_NOWHERE - super->frames) {
		*why = "the pool is where no machine has memory";
		return -EINVAL;
	}
	return 0;
}
