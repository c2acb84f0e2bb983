// SPDX-License-Identifier: GPL-2.0-only
/*
 * object.c - lifetime, ID and registry of morsels
 *
 * An object lives from creation to destruction, whether or not anybody has it
 * open.  Its inode is its front end's (anon.c for those of /dev/morsel), and is what
 * VMAs hang off, what permissions are checked against and what futexes are keyed by.
 *
 * The inode is a regular file, because only those can be punched by
 * fallocate() and madvise(MADV_REMOVE); and no DAX one, because long-term pins
 * of a DAX file are refused.  What keeps the kernel's hands off the VMAs
 * instead: VM_DONTEXPAND (mlock, khugepaged, KSM, userfaultfd) and the zone of
 * the mapping, see morsel_object_inode_init() (NUMA balancing, page migration).
 *
 * Lifetime rule: @users counts descriptors and VMAs.  Destruction is the one
 * compare-and-swap of @users from 1 (the caller's descriptor), or, when an
 * ephemeral object has lost its last user, from 0, to USERS_DEAD; whoever wants
 * to become a user increments unless negative, so one of the two wins and the
 * other sees it.  Inode and memory stay until the last descriptor is closed.
 *
 * The registry is an XArray by the frame that the ID names, the meta morsel or
 * the root: read under RCU, written under its own lock.
 */
#include <linux/cred.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/xarray.h>

#include "compat.h"
#include "id.h"
#include "object.h"
#include "pmem.h"
#include "trace.h"

/* Far enough from 0 that neither stray increments nor decrements reach it. */
#define USERS_DEAD	(INT_MIN / 2)
/* What is copied (fork) becomes a user unasked: that needs room above. */
#define USERS_MAX	(INT_MAX / 2)

static DEFINE_XARRAY_FLAGS(object_registry, XA_FLAGS_ACCOUNT);
static atomic_long_t object_total = ATOMIC_LONG_INIT(0);
static atomic_t object_generation = ATOMIC_INIT(0);
static atomic64_t object_serial = ATOMIC64_INIT(0);

/* Pages are never written back. */
static const struct address_space_operations object_aops = {
	.dirty_folio = noop_dirty_folio,
};

static void object_free_rcu(struct rcu_head *rcu)
{
	struct morsel_object *object = container_of(rcu, struct morsel_object, rcu);

	morsel_dram_exit(&object->dram);
	kfree(object);
}

/* The frame that its ID names. */
static u64 object_frame(const struct morsel_object *object)
{
	return object->meta ? : morsel_tree_root(&object->tree);
}

static struct morsel_meta *object_meta(const struct morsel_object *object)
{
	return (struct morsel_meta *)morsel_frame_table(object->meta);
}

/* Give the object its IDs, and a meta morsel that holds the one of the data. */
static int object_identify(struct morsel_object *object, u64 address)
{
	unsigned int generation = atomic_inc_return(&object_generation);
	struct morsel_source *source = object->tree.source;
	int err;

	object->data_id = morsel_id_make(morsel_tree_root(&object->tree),
					 object->order, generation);
	object->id = object->data_id;
	if (!(object->flags & MORSEL_CREATE_META))
		return 0;

	err = source->ops->table_alloc(source, 0, &object->meta);
	if (err)
		return err;
	object->address = address;
	object->id = morsel_id_make_meta(object->meta, generation);
	morsel_meta_set(object_meta(object), object->data_id, address);
	return 0;
}

/*
 * Free all frames.  The data morsel's root is the last of it, and freed after
 * the meta morsel has ceased to name it; then the meta morsel.  Source: thesis
 * 3.3.3 and 3.5.
 */
static void object_frames_free(struct morsel_object *object)
{
	struct morsel_source *source = object->tree.source;

	morsel_object_mirrors_destroy(object);
	morsel_tree_empty(&object->tree);
	if (object->meta)
		morsel_meta_set(object_meta(object), 0, object->address);
	morsel_tree_destroy(&object->tree);
	morsel_dram_drain(&object->dram);
	if (object->meta)
		source->ops->table_free(source, 0, object->meta);
}

/*
 * Enter the object under its frame.  The generation goes round after
 * MORSEL_GENERATIONS creations; only then can an ID of a destroyed morsel
 * come back, and only for one that has the same frame and order.
 */
static int object_register(struct morsel_object *object)
{
	int err = xa_insert(&object_registry, object_frame(object), object,
			    GFP_KERNEL_ACCOUNT);

	if (!err)
		atomic_long_inc(&object_total);
	return err;
}

static bool address_valid(u64 address, u64 size)
{
	return address && IS_ALIGNED(address, size) && address < TASK_SIZE_MAX &&
	       size <= TASK_SIZE_MAX - address;
}

/* An object without any frame, whose memory is its inode's from here on. */
static struct morsel_object *object_new(struct inode *inode, unsigned int order,
					u64 limit, struct morsel_budget *budget)
{
	struct morsel_object *object;
	int err;

	object = kzalloc(sizeof(*object), GFP_KERNEL_ACCOUNT);
	if (!object)
		return ERR_PTR(-ENOMEM);
	err = morsel_dram_init(&object->dram, inode->i_mapping, limit, budget);
	if (err) {
		kfree(object);
		return ERR_PTR(err);
	}
	atomic_set(&object->users, 1);
	object->serial = atomic64_inc_return(&object_serial);
	object->order = order;
	object->inode = inode;
	inode->i_private = object;
	return object;
}

/**
 * morsel_object_check() - can there be such an object?
 * @order:   0 to 4
 * @flags:   MORSEL_CREATE_*
 * @address: with MORSEL_CREATE_META where it is to be mapped
 *
 * Return: 0, -EINVAL (address) or -EOPNOTSUPP (order 4 needs 5-level paging).
 */
int morsel_object_check(unsigned int order, u32 flags, u64 address)
{
	if (order > morsel_order_max())
		return -EOPNOTSUPP;
	if (flags & MORSEL_CREATE_META ?
		    !address_valid(address, morsel_level_size(order)) : address)
		return -EINVAL;
	return 0;
}

/**
 * morsel_object_create() - create a morsel that has an ID, used once by the caller
 * @inode:   its inode, see morsel_object_inode_init(); frees it by
 *           morsel_object_free() when it is evicted itself
 * @order:   as @flags and @address what morsel_object_check() has permitted
 * @flags:   MORSEL_CREATE_*
 * @address: with MORSEL_CREATE_META where it is to be mapped
 * @let_go:  called when the object is destroyed, and needs the inode no longer
 *
 * The root is the only frame, but for that of a meta morsel.
 *
 * Return: the object or an ERR_PTR of -ENOMEM.
 */
struct morsel_object *morsel_object_create(struct inode *inode, unsigned int order,
					   u32 flags, u64 address,
					   void (*let_go)(struct inode *inode))
{
	struct morsel_object *object;
	int err;

	object = object_new(inode, order, morsel_level_pages(order), NULL);
	if (IS_ERR(object))
		return object;
	object->flags = flags;
	object->let_go = let_go;
	err = morsel_tree_init(&object->tree, &object->dram.source, order);
	if (err)
		return ERR_PTR(err);
	err = object_identify(object, address);
	if (!err)
		err = object_register(object);
	if (err) {
		object_frames_free(object);
		return ERR_PTR(err);
	}
	trace_morsel_create(object->id, order, flags, address);
	return object;
}

/**
 * morsel_object_create_growing() - create a morsel of no size, which can get any
 * @inode:  its inode, which uses it; see morsel_object_create()
 * @id:     what it is called by who traces; nothing is found by it
 * @budget: what its frames are charged to, or NULL
 *
 * Without any frame.  For morsel_object_retire() when the inode is evicted.
 *
 * Return: the object or an ERR_PTR of -ENOMEM.
 */
struct morsel_object *morsel_object_create_growing(struct inode *inode, u64 id,
						   struct morsel_budget *budget)
{
	unsigned int order = morsel_order_max();
	struct morsel_object *object = object_new(inode, order, 0, budget);

	if (IS_ERR(object))
		return object;
	morsel_tree_init_rootless(&object->tree, &object->dram.source);
	object->id = id;
	object->data_id = id;
	atomic_long_inc(&object_total);
	trace_morsel_create(id, order, 0, 0);
	return object;
}

/**
 * morsel_object_open() - have an object that is on a device
 * @inode: its inode, which uses it; see morsel_object_create()
 * @id:    what it is called by who traces; nothing is found by it
 * @pmem:  where its frames are
 * @top:   where its tree is named there
 *
 * No page of it can be had before morsel_set_limit().  For morsel_object_close() or,
 * to free its frames, morsel_object_retire() when the inode is evicted.
 *
 * Return: the object or an ERR_PTR of -ENOMEM or -EOPNOTSUPP (larger than the processor
 * can walk).
 */
struct morsel_object *morsel_object_open(struct inode *inode, u64 id,
					 struct morsel_pmem *pmem, u64 *top)
{
	unsigned int order = morsel_order_max();
	struct morsel_object *object = object_new(inode, order, 0, NULL);
	int err;

	if (IS_ERR(object))
		return object;
	morsel_pmem_source(&object->dram, pmem);
	morsel_tree_open(&object->tree, &object->dram.source, top);
	err = morsel_tree_order(&object->tree) > order ? -EOPNOTSUPP : 0;
	if (!err)
		err = morsel_pmem_adopt(&object->dram, &object->tree);
	if (err) {
		inode->i_private = NULL;
		morsel_object_free(object);
		return ERR_PTR(err);
	}
	object->id = id;
	object->data_id = id;
	atomic_long_inc(&object_total);
	mutex_lock(&pmem->objects_lock);
	list_add(&object->on_device, &pmem->objects);
	mutex_unlock(&pmem->objects_lock);
	return object;
}

/* Who goes through all of a device is done with this one, and finds it no more. */
static void object_leave_device(struct morsel_object *object)
{
	struct morsel_pmem *pmem = object->dram.pmem;

	if (!pmem)
		return;
	mutex_lock(&pmem->objects_lock);
	list_del(&object->on_device);
	mutex_unlock(&pmem->objects_lock);
}

/**
 * morsel_object_adopt() - say whose the pages of an object on a device are
 * @object: the object; the caller is a user of it
 *
 * For who maps it.  Once: pages that come later say so themselves.
 *
 * Context: process context, may sleep.
 * Return: 0 or -EINTR.
 */
int morsel_object_adopt(struct morsel_object *object)
{
	int err;

	/* Pairs with the release below: who sees it sees the pages as they are. */
	if (!object->dram.pmem || smp_load_acquire(&object->adopted))
		return 0;
	err = morsel_hold_lock(&object->dram.hold);
	if (err)
		return err;
	if (!object->adopted)
		err = morsel_pmem_adopt_pages(&object->dram, &object->tree);
	if (!err) {
		/* Pairs with the load above. */
		smp_store_release(&object->adopted, true);
	}
	morsel_hold_unlock(&object->dram.hold);
	return err;
}

/**
 * morsel_object_free() - free the memory of an object that was destroyed
 * @object: the object; its inode is being evicted
 */
void morsel_object_free(struct morsel_object *object)
{
	call_rcu(&object->rcu, object_free_rcu);
}

/**
 * morsel_object_inode_init() - make an inode fit for a morsel
 * @inode: a new inode
 */
void morsel_object_inode_init(struct inode *inode)
{
	inode->i_mapping->a_ops = &object_aops;
	mapping_set_unevictable(inode->i_mapping);
	/*
	 * Moving or unmapping single pages would change leaves in shared
	 * tables.  A file that takes its pages from the lowest zone is never
	 * migrated or scanned, see vma_migratable(); ours come from no mapping.
	 */
	mapping_set_gfp_mask(inode->i_mapping, GFP_DMA);
}

/**
 * morsel_object_use() - become a user of an object that is known to exist
 * @object: the object; its memory is held by RCU, a descriptor or a VMA
 *
 * Return: false when it was destroyed, or has more users than anybody needs.
 */
bool morsel_object_use(struct morsel_object *object)
{
	int users = atomic_read(&object->users);

	do {
		if (users < 0 || users >= USERS_MAX)
			return false;
	} while (!atomic_try_cmpxchg(&object->users, &users, users + 1));
	return true;
}

/* Nobody is a user, and nobody can become one. */
static void object_bury(struct morsel_object *object)
{
	if (trace_morsel_destroy_enabled()) {
		struct morsel_frame_counts frames = morsel_dram_sum(&object->dram);

		trace_morsel_destroy(object->id, frames.data,
				     morsel_frame_tables(&frames));
	}
	if (object->let_go)
		xa_erase(&object_registry, object_frame(object));
	atomic_long_dec(&object_total);
	object_frames_free(object);
	if (object->let_go)
		object->let_go(object->inode);
}

/**
 * morsel_object_unuse() - be a user no longer
 * @object: the object; gone after this, unless its inode is held
 *
 * Context: may sleep, when an ephemeral object has no user left; where the
 * mmap lock is held, a descriptor must be left (as that of a VMA is).
 */
void morsel_object_unuse(struct morsel_object *object)
{
	bool last;

	/*
	 * Somebody may open it by its ID in between, and bury it before we look;
	 * the memory stays until we have.  The flag is read after the decrement,
	 * a full barrier, which pairs with morsel_object_abandon().
	 */
	rcu_read_lock();
	last = !atomic_dec_return(&object->users) &&
	       READ_ONCE(object->flags) & MORSEL_CREATE_EPHEMERAL &&
	       !atomic_cmpxchg(&object->users, 0, USERS_DEAD);
	rcu_read_unlock();
	if (last)
		object_bury(object);
}

/**
 * morsel_object_abandon() - the object has failed its creator
 * @object: the object; the caller is a user of it, and is about to be none
 *
 * It goes with its last user: that is the caller, unless somebody guessed its ID
 * and has it open by now.
 */
void morsel_object_abandon(struct morsel_object *object)
{
	WRITE_ONCE(object->flags, object->flags | MORSEL_CREATE_EPHEMERAL);
}

/**
 * morsel_object_map() - a VMA of the object comes to be
 * @object: the object
 *
 * Return: 0, or -ESTALE when it was destroyed.
 */
int morsel_object_map(struct morsel_object *object)
{
	if (!morsel_object_use(object))
		return -ESTALE;
	atomic_inc(&object->mappings);
	/* Pairs with morsel_set_limit(). */
	smp_mb__after_atomic();
	return 0;
}

/**
 * morsel_object_copy_map() - another VMA comes to be from one
 * @object: the object, which has a VMA
 */
void morsel_object_copy_map(struct morsel_object *object)
{
	atomic_inc(&object->users);
	atomic_inc(&object->mappings);
}

/**
 * morsel_object_unmap() - a VMA of the object is gone
 * @object: the object
 */
void morsel_object_unmap(struct morsel_object *object)
{
	atomic_dec(&object->mappings);
	morsel_object_unuse(object);
}

/**
 * morsel_object_permits() - do owner and mode permit it to the caller?
 * @object: the object; its memory is held by RCU, a descriptor or a VMA
 * @mask:   MAY_READ, MAY_WRITE, MAY_EXEC
 *
 * Called under RCU before the caller becomes a user: who has no rights shall not
 * even for a moment be the other user that makes a destruction fail.
 */
bool morsel_object_permits(struct morsel_object *object, int mask)
{
	return !inode_permission(morsel_idmap, object->inode,
				 mask | MAY_NOT_BLOCK);
}

/**
 * morsel_object_get() - use the morsel that an ID names
 * @id:   a number from user space; compared, never followed
 * @mask: MAY_READ, MAY_WRITE
 *
 * Return: the object, used once more, or an ERR_PTR: -ENOENT when it names no
 * living morsel, -EACCES when owner and mode do not permit, -EBADMSG when its
 * meta morsel does not name it.
 */
struct morsel_object *morsel_object_get(u64 id, int mask)
{
	struct morsel_object *object;

	rcu_read_lock();
	object = xa_load(&object_registry, morsel_id_pfn(id));
	if (!object || object->id != id)
		object = ERR_PTR(-ENOENT);
	else if (!morsel_object_permits(object, mask))
		object = ERR_PTR(-EACCES);
	else if (!morsel_object_use(object))
		object = ERR_PTR(-ENOENT);
	rcu_read_unlock();
	if (!IS_ERR(object) && object->meta &&
	    !morsel_meta_valid(object_meta(object), object->data_id)) {
		morsel_object_unuse(object);
		object = ERR_PTR(-EBADMSG);
	}
	return object;
}

/**
 * morsel_object_find() - use the next object, whosever it is
 * @frame: least frame that its ID may name; made the one that it names
 *
 * For the administrator: permissions are not looked at.
 *
 * Context: may sleep.
 * Return: the object, used once more, or NULL.
 */
struct morsel_object *morsel_object_find(u64 *frame)
{
	unsigned long index = *frame;
	struct morsel_object *object;

	rcu_read_lock();
	xa_for_each_start(&object_registry, index, object, *frame)
		if (morsel_object_use(object))
			break;
	rcu_read_unlock();
	*frame = index;
	return object;
}

/**
 * morsel_object_next() - walk the objects that the caller may read
 * @cursor: 0 to start; moved on
 * @info:   the facts of the next object; zeroed by the caller
 *
 * Under RCU and never a user of the object: a listing shall not make a
 * destruction fail.
 *
 * Return: 0, -ENOENT after the last one, or -EINTR.
 */
int morsel_object_next(u64 *cursor, struct morsel_info *info)
{
	unsigned long index = *cursor;
	struct morsel_object *object;
	bool readable;

	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();

		rcu_read_lock();
		object = xa_find_after(&object_registry, &index, ULONG_MAX,
				       XA_PRESENT);
		readable = object && morsel_object_permits(object, MAY_READ);
		if (readable)
			morsel_object_describe(object, info);
		rcu_read_unlock();
	} while (object && !readable);

	*cursor = index;
	return object ? 0 : -ENOENT;
}

/**
 * morsel_object_destroy() - free all frames of an object
 * @object: the object; the caller is a user of it
 *
 * Return: 0, -ESTALE when it was destroyed before, or -EBUSY when there is
 * another user.
 */
int morsel_object_destroy(struct morsel_object *object)
{
	int users = atomic_cmpxchg(&object->users, 1, USERS_DEAD);

	if (users < 0)
		return -ESTALE;
	if (users != 1)
		return -EBUSY;

	object_bury(object);
	return 0;
}

/**
 * morsel_object_retire() - free all frames of a growing object
 * @object: the object; its inode is being evicted, so nobody else uses it
 */
void morsel_object_retire(struct morsel_object *object)
{
	object_leave_device(object);
	WARN_ON_ONCE(morsel_object_destroy(object));
}

/**
 * morsel_object_close() - leave an object on its device
 * @object: the object of morsel_object_open(); its inode is being evicted, so nobody
 *          else uses it
 */
void morsel_object_close(struct morsel_object *object)
{
	object_leave_device(object);
	atomic_set(&object->users, USERS_DEAD);
	atomic_long_dec(&object_total);
	morsel_object_mirrors_destroy(object);
	morsel_pmem_release(&object->dram, &object->tree);
}

/**
 * morsel_object_set_address() - say where a growing object is to be mapped
 * @object:  the object
 * @address: of its first page, a page's, or 0: anywhere
 *
 * What is mapped stays where it is.
 */
void morsel_object_set_address(struct morsel_object *object, u64 address)
{
	/* Read by mmap and mremap. */
	WRITE_ONCE(object->address, address);
}

/**
 * morsel_object_describe() - fill in the facts for user space
 * @object: the object; the caller is a user of it or holds the RCU read lock
 * @info:   zeroed by the caller
 */
void morsel_object_describe(struct morsel_object *object,
			    struct morsel_info *info)
{
	struct morsel_frame_counts frames = morsel_dram_sum(&object->dram);
	struct user_namespace *ns = current_user_ns();
	int mappings = atomic_read(&object->mappings);
	unsigned int level;

	info->id = object->id;
	info->size = i_size_read(object->inode);
	/* The shares change while they are summed up. */
	info->data_frames = max(frames.data, 0L);
	info->table_frames = max(morsel_frame_tables(&frames), 0L);
	info->mappings = mappings;
	info->attachments = atomic_long_read(&object->attachments.now);
	info->descriptors = max(atomic_read(&object->users) - mappings, 0);
	info->order = morsel_tree_order(&object->tree);
	info->address = READ_ONCE(object->address);
	info->flags = READ_ONCE(object->flags);
	info->mode = object->inode->i_mode & 0777;
	info->uid = from_kuid_munged(ns, object->inode->i_uid);
	info->gid = from_kgid_munged(ns, object->inode->i_gid);
	info->allocated = frames.allocated;
	info->reserve_frames = morsel_dram_reserve(&object->dram);
	info->attached = atomic_long_read(&object->attachments.ever);
	for (level = 1; level < MORSEL_LEVELS; level++)
		info->tables[level - 1] = max(frames.table[level], 0L);
}

/**
 * morsel_object_count() - living objects
 */
unsigned long morsel_object_count(void)
{
	return atomic_long_read(&object_total);
}

/**
 * morsel_object_teardown() - the module goes away; no object is left
 */
void morsel_object_teardown(void)
{
	/* object_free_rcu() of the last ones */
	rcu_barrier();
}
