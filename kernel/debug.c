// SPDX-License-Identifier: GPL-2.0-only
/*
 * debug.c - /sys/kernel/debug/morsel/trees: every table of every morsel
 *
 * For each morsel a line with its counters, then one for each of its tables, in
 * the order in which the hardware would meet them, under each set of rights.
 *
 * While a part of it is read, the morsel that this part is about has one more
 * user, who keeps it from being destroyed: only root can cause that.  Its tables
 * stay as long as it lives, so no lock is needed.  Between two parts it may go,
 * and another come that has its frame and even its ID: the serial number tells.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <uapi/linux/morsel.h>

#include "crash.h"
#include "debug.h"
#include "object.h"

static struct dentry *debug_dir;

static const char * const debug_rights[1 + MORSEL_MIRRORS] = {
	"rw", [1 + MORSEL_R] = "r", [1 + MORSEL_RX] = "rx", [1 + MORSEL_RWX] = "rwx",
};

/**
 * struct debug_place - the line that comes next
 * @object: its morsel, while a part is read
 * @frame:  by which it is found
 * @serial: by which it is known
 * @set:    of which set of tables it is
 * @tree:   that, but on the morsel's own line
 * @table:  a table of it, or at level 0 the morsel's own line
 */
struct debug_place {
	struct morsel_object *object;
	u64 frame;
	u64 serial;
	unsigned int set;
	const struct morsel_tree *tree;
	struct morsel_table_place table;
};

/* The first morsel from @place->frame on; its own line, if it is a new one. */
static bool debug_find(struct debug_place *place)
{
	place->object = morsel_object_find(&place->frame);
	if (!place->object)
		return false;
	if (place->object->serial != place->serial) {
		place->serial = place->object->serial;
		place->set = 0;
		place->table = (struct morsel_table_place){};
	}
	return true;
}

static void *debug_start(struct seq_file *m, loff_t *pos)
{
	struct debug_place *place = m->private;

	if (!*pos)
		*place = (struct debug_place){};
	return debug_find(place) ? place : NULL;
}

static void *debug_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct debug_place *place = v;

	++*pos;
	cond_resched();
	place->tree = morsel_object_next_table(place->object, &place->set, &place->table);
	if (place->tree)
		return place;
	morsel_object_unuse(place->object);
	place->frame++;
	return debug_find(place) ? place : NULL;
}

static void debug_stop(struct seq_file *m, void *v)
{
	struct debug_place *place = m->private;

	if (place->object)
		morsel_object_unuse(place->object);
	place->object = NULL;
}

static void debug_show_object(struct seq_file *m, struct morsel_object *object)
{
	struct morsel_info info = {};

	morsel_object_describe(object, &info);
	seq_printf(m, "morsel id=0x%016llx order=%u flags=0x%x data=%llu tables=%llu reserve=%llu allocated=%llu mappings=%llu attachments=%llu attached=%llu\n",
		   info.id, info.order, info.flags, info.data_frames,
		   info.table_frames, info.reserve_frames, info.allocated,
		   info.mappings, info.attachments, info.attached);
}

static int debug_show(struct seq_file *m, void *v)
{
	struct debug_place *place = v;

	if (!place->table.level)
		debug_show_object(m, place->object);
	else
		seq_printf(m, " table rights=%s level=%u first=%llu used=%u\n",
			   debug_rights[place->set], place->table.level,
			   place->table.first,
			   morsel_tree_used(place->tree, &place->table));
	return 0;
}

static const struct seq_operations debug_ops = {
	.start = debug_start,
	.next = debug_next,
	.stop = debug_stop,
	.show = debug_show,
};

static int debug_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &debug_ops, sizeof(struct debug_place));
}

static const struct file_operations debug_fops = {
	.owner = THIS_MODULE,
	.open = debug_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/**
 * morsel_debug_setup() - make the file appear
 *
 * Without it, where there is no debugfs, everything else works.
 */
void morsel_debug_setup(void)
{
	debug_dir = debugfs_create_dir("morsel", NULL);
	debugfs_create_file("trees", 0400, debug_dir, NULL, &debug_fops);
	morsel_crash_setup(debug_dir);
}

/**
 * morsel_debug_teardown() - make it disappear
 */
void morsel_debug_teardown(void)
{
	debugfs_remove(debug_dir);
	morsel_crash_exit();
}
