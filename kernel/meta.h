/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * meta.h - the meta morsel: what is said of a data morsel besides its root
 *
 * Source: thesis 3.5.  One frame, a morsel of order 0 that is never mapped.
 * Read-only once it is sealed; version and length leave room for more fields,
 * the checksum is for the day when it comes back from a medium.
 */
#ifndef MORSEL_META_H
#define MORSEL_META_H

#include "plat.h"

#define MORSEL_META_MAGIC	0x6174656d73726f6dull	/* "morsmeta" */
#define MORSEL_META_VERSION	1u

/**
 * struct morsel_meta - content of a meta morsel, all else in the frame is 0
 * @magic:    MORSEL_META_MAGIC
 * @version:  MORSEL_META_VERSION; other versions are not understood
 * @length:   bytes of this structure, which the checksum covers
 * @checksum: CRC-32 over them, with this field 0
 * @pad:      0
 * @data_id:  ID of the data morsel, 0 while there is none
 * @address:  where the data morsel is mapped in every address space
 */
struct morsel_meta {
	u64 magic;
	u32 version;
	u32 length;
	u32 checksum;
	u32 pad;
	u64 data_id;
	u64 address;
};

void morsel_meta_set(struct morsel_meta *meta, u64 data_id, u64 address);
bool morsel_meta_valid(const struct morsel_meta *meta, u64 data_id);

#endif /* MORSEL_META_H */
