/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * morsel - memory objects that are page-table subtrees: the user interface
 *
 * /dev/morsel is the control device.  Its CREATE and OPEN ioctls return a new
 * file descriptor bound to one morsel for life; that descriptor is what is
 * mapped, described, destroyed and passed on by SCM_RIGHTS.
 *
 * Every structure has a fixed layout on 32 and 64 bit, and every field that
 * is reserved, and every flag that is unknown, must be zero (EINVAL).
 */
#ifndef _UAPI_LINUX_MORSEL_H
#define _UAPI_LINUX_MORSEL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * The morsel ID: the page-table entry that names the root of the subtree,
 * tagged in bits the hardware ignores in an entry that points to a table.
 *
 *   63  62..56   55    54..52    51..12   11..9    8..0
 *    0  gen hi   meta  order+1   PFN      gen lo   entry flags
 *
 * The generation tells a morsel from an earlier one whose root was the same
 * frame.  An ID is looked up, never followed: only what the driver handed out
 * names a morsel.
 */
#define MORSEL_ID_ORDER_SHIFT	52
#define MORSEL_ID_ORDER_MASK	0x7ull
#define MORSEL_ID_META		(1ull << 55)
#define MORSEL_ID_PFN_MASK	0x000ffffffffff000ull
#define MORSEL_ID_GEN_LO_SHIFT	9
#define MORSEL_ID_GEN_LO_MASK	0x7ull
#define MORSEL_ID_GEN_HI_SHIFT	56
#define MORSEL_ID_GEN_HI_MASK	0x7full

/* Order n covers 512^n pages of 4 KiB; order 4 needs 5-level paging. */
#define MORSEL_ORDER_MAX	4

/*
 * Destroyed when its last descriptor is closed and its last mapping is gone,
 * not only on request.
 */
#define MORSEL_CREATE_EPHEMERAL	(1u << 0)

/*
 * With a meta morsel, whose ID is handed out in place of that of the data
 * morsel and which says where the data is to be mapped: at that address, in
 * every process, or not at all.
 */
#define MORSEL_CREATE_META	(1u << 1)

/**
 * struct morsel_create - argument of MORSEL_IOC_CREATE
 * @order:    in: order of the morsel, 0 to MORSEL_ORDER_MAX
 * @flags:    in: MORSEL_CREATE_*
 * @mode:     in: permission bits of the object (0 to 0777).  Who lacks x may
 *            not map it executable.
 * @fd:       out: descriptor of the new morsel, read-write, close-on-exec
 * @id:       out: its morsel ID
 * @address:  in: with MORSEL_CREATE_META the fixed address, a multiple of the
 *            size and not 0; otherwise 0
 * @reserved: in: must be 0
 */
struct morsel_create {
	__u32 order;
	__u32 flags;
	__u32 mode;
	__s32 fd;
	__aligned_u64 id;
	__aligned_u64 address;
	__aligned_u64 reserved;
};

/* The descriptor may not write, and no mapping of it ever will. */
#define MORSEL_OPEN_RDONLY	(1u << 0)

/**
 * struct morsel_open - argument of MORSEL_IOC_OPEN
 * @id:       in: ID of a living morsel
 * @flags:    in: 0 or MORSEL_OPEN_RDONLY
 * @fd:       out: descriptor bound to that morsel, close-on-exec
 * @reserved: in: must be 0
 */
struct morsel_open {
	__aligned_u64 id;
	__u32 flags;
	__s32 fd;
	__aligned_u64 reserved[2];
};

/**
 * struct morsel_info - facts about one morsel; all but @id, @size, @order,
 *                      @address and @flags are a snapshot; of a file these, too
 * @id:           morsel ID
 * @size:         bytes: 4096 * 512^order, or of a file its length
 * @data_frames:  frames that hold user data
 * @table_frames: frames that hold page tables, the root included, for all
 *                sets of rights in use, or a meta morsel
 * @mappings:     VMAs that map it, in all processes
 * @attachments:  entries in private page tables that point into its tables
 * @descriptors:  open files bound to it; of a file no more than whether anybody
 *                uses it
 * @order:        order; of a file that of its tree as it is now
 * @mode:         permission bits
 * @uid:          owner, in the caller's user namespace
 * @gid:          group, in the caller's user namespace
 * @address:      where it is mapped at, or 0: anywhere
 * @flags:        MORSEL_CREATE_* that it was created with
 * @pad:          0
 * @allocated:    frames taken for user data since it was created: those in use,
 *                those freed since, and those that lost a race and went
 *                straight back
 * @attached:     attachments that were made since it was created
 * @tables:       of @table_frames those of level 1 (PTE tables) to 4; a meta
 *                morsel is none of them
 * @reserve_frames: frames taken ahead of need, for page faults to come: for each
 *                processor as many as it has used at most, and at most 7
 * @reserved:     0
 */
struct morsel_info {
	__aligned_u64 id;
	__aligned_u64 size;
	__aligned_u64 data_frames;
	__aligned_u64 table_frames;
	__aligned_u64 mappings;
	__aligned_u64 attachments;
	__aligned_u64 descriptors;
	__u32 order;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__aligned_u64 address;
	__u32 flags;
	__u32 pad;
	__aligned_u64 allocated;
	__aligned_u64 attached;
	__aligned_u64 tables[4];
	__aligned_u64 reserve_frames;
	__aligned_u64 reserved[3];
};

/**
 * struct morsel_next - argument of MORSEL_IOC_NEXT
 * @cursor: in: 0 to start, then what the last call left; out: for the next call
 * @info:   out: a morsel that the caller may read
 */
struct morsel_next {
	__aligned_u64 cursor;
	struct morsel_info info;
};

/**
 * struct morsel_stats - argument of MORSEL_IOC_STATS, all of it out
 * @morsels:      living morsels
 * @data_frames:  frames of user data in all of them
 * @table_frames: frames of page tables in all of them
 * @attachments:  attached entries in all address spaces
 * @max_order:    largest order this machine can create
 * @pad:          0
 * @reserve_frames: frames taken ahead of need in all of them
 * @reserved:     0
 */
struct morsel_stats {
	__aligned_u64 morsels;
	__aligned_u64 data_frames;
	__aligned_u64 table_frames;
	__aligned_u64 attachments;
	__u32 max_order;
	__u32 pad;
	__aligned_u64 reserve_frames;
	__aligned_u64 reserved[2];
};

/**
 * struct morsel_range - argument of MORSEL_IOC_POPULATE and MORSEL_IOC_PUNCH
 * @offset:   in: first byte, a multiple of 4096
 * @length:   in: bytes, a multiple of 4096 and not 0; the range must lie
 *            within the morsel
 * @done:     out: bytes from @offset on that are done; written also when the
 *            call fails with EINTR or ENOMEM, or of a file with ENOSPC or EPERM
 * @flags:    in: must be 0
 * @pad:      in: must be 0
 * @reserved: in: must be 0
 */
struct morsel_range {
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 done;
	__u32 flags;
	__u32 pad;
	__aligned_u64 reserved[2];
};

/* Sets of tables: each is over the same pages, for mappings with other rights. */
#define MORSEL_TABLE_RW		0u
#define MORSEL_TABLE_R		1u
#define MORSEL_TABLE_RX		2u
#define MORSEL_TABLE_RWX	3u

/**
 * struct morsel_table - argument of MORSEL_IOC_NEXT_TABLE
 * @rights:   in: 0 to start, then what the last call left; out: MORSEL_TABLE_*, of
 *            which set of tables this one is
 * @level:    in: 0 to start, then what the last call left; out: level of the table,
 *            1 for one whose entries are pages, to 4
 * @first:    in: 0 to start, then what the last call left; out: first page it covers
 * @used:     out: entries of its 512 that are not empty, at this moment
 * @pad:      in: must be 0
 * @reserved: in: must be 0
 */
struct morsel_table {
	__u32 rights;
	__u32 level;
	__aligned_u64 first;
	__u32 used;
	__u32 pad;
	__aligned_u64 reserved[2];
};

#define MORSEL_IOC_MAGIC	0xD3

/* On /dev/morsel */
#define MORSEL_IOC_CREATE	_IOWR(MORSEL_IOC_MAGIC, 0x00, struct morsel_create)
#define MORSEL_IOC_OPEN		_IOWR(MORSEL_IOC_MAGIC, 0x01, struct morsel_open)
#define MORSEL_IOC_NEXT		_IOWR(MORSEL_IOC_MAGIC, 0x02, struct morsel_next)
#define MORSEL_IOC_STATS	_IOR(MORSEL_IOC_MAGIC, 0x03, struct morsel_stats)

/* On the descriptor of a morsel */
#define MORSEL_IOC_INFO		_IOR(MORSEL_IOC_MAGIC, 0x10, struct morsel_info)
#define MORSEL_IOC_DESTROY	_IO(MORSEL_IOC_MAGIC, 0x11)
#define MORSEL_IOC_POPULATE	_IOWR(MORSEL_IOC_MAGIC, 0x12, struct morsel_range)
#define MORSEL_IOC_PUNCH	_IOWR(MORSEL_IOC_MAGIC, 0x13, struct morsel_range)
#define MORSEL_IOC_NEXT_TABLE	_IOWR(MORSEL_IOC_MAGIC, 0x14, struct morsel_table)

#endif /* _UAPI_LINUX_MORSEL_H */
