/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of every ioctl argument and every ioctl number, as numbers: they
 * are the same on 32 and 64 bit and never change again.
 */
#include <stddef.h>

#include <linux/morsel.h>

#define AT(type, field, offset)                                  \
	_Static_assert(offsetof(struct type, field) == (offset), \
		       #type "." #field)
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)
#define NUMBER(name, value) _Static_assert((name) == (value), #name)

SIZE(morsel_create, 40);
AT(morsel_create, fd, 12);
AT(morsel_create, id, 16);
AT(morsel_create, address, 24);
AT(morsel_create, reserved, 32);

SIZE(morsel_open, 32);
AT(morsel_open, flags, 8);
AT(morsel_open, fd, 12);
AT(morsel_open, reserved, 16);

SIZE(morsel_info, 168);
AT(morsel_info, descriptors, 48);
AT(morsel_info, order, 56);
AT(morsel_info, gid, 68);
AT(morsel_info, address, 72);
AT(morsel_info, flags, 80);
AT(morsel_info, pad, 84);
AT(morsel_info, allocated, 88);
AT(morsel_info, attached, 96);
AT(morsel_info, tables, 104);
AT(morsel_info, reserve_frames, 136);
AT(morsel_info, reserved, 144);

SIZE(morsel_next, 176);
AT(morsel_next, info, 8);

SIZE(morsel_stats, 64);
AT(morsel_stats, max_order, 32);
AT(morsel_stats, reserve_frames, 40);
AT(morsel_stats, reserved, 48);

SIZE(morsel_range, 48);
AT(morsel_range, offset, 0);
AT(morsel_range, length, 8);
AT(morsel_range, done, 16);
AT(morsel_range, flags, 24);
AT(morsel_range, pad, 28);
AT(morsel_range, reserved, 32);

SIZE(morsel_table, 40);
AT(morsel_table, rights, 0);
AT(morsel_table, level, 4);
AT(morsel_table, first, 8);
AT(morsel_table, used, 16);
AT(morsel_table, pad, 20);
AT(morsel_table, reserved, 24);

NUMBER(MORSEL_CREATE_EPHEMERAL, 1);
NUMBER(MORSEL_CREATE_META, 2);

NUMBER(MORSEL_IOC_CREATE, 0xc028d300);
NUMBER(MORSEL_IOC_OPEN, 0xc020d301);
NUMBER(MORSEL_IOC_NEXT, 0xc0b0d302);
NUMBER(MORSEL_IOC_STATS, 0x8040d303);
NUMBER(MORSEL_IOC_INFO, 0x80a8d310);
NUMBER(MORSEL_IOC_DESTROY, 0x0000d311);
NUMBER(MORSEL_IOC_POPULATE, 0xc030d312);
NUMBER(MORSEL_IOC_PUNCH, 0xc030d313);
NUMBER(MORSEL_IOC_NEXT_TABLE, 0xc028d314);
