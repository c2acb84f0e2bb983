// SPDX-License-Identifier: GPL-2.0-only
/*
 * meta.c - writing and judging a meta morsel
 */
#include "meta.h"

/* The checksum's own four bytes count as zeroes. */
static u32 meta_checksum(const struct morsel_meta *meta)
{
	struct morsel_meta copy = *meta;

	copy.checksum = 0;
	return crc32_le(~0u, (const u8 *)&copy, sizeof(copy));
}

/**
 * morsel_meta_set() - write all fields
 * @meta:    the frame of a meta morsel
 * @data_id: ID of the data morsel, or 0: it has none any more
 * @address: its fixed address
 */
void morsel_meta_set(struct morsel_meta *meta, u64 data_id, u64 address)
{
	*meta = (struct morsel_meta){
		.magic = MORSEL_META_MAGIC,
		.version = MORSEL_META_VERSION,
		.length = sizeof(*meta),
		.data_id = data_id,
		.address = address,
	};
	meta->checksum = meta_checksum(meta);
}

/**
 * morsel_meta_valid() - does it say what it was made to say?
 * @meta:    the frame of a meta morsel
 * @data_id: ID of the data morsel that it should name
 */
bool morsel_meta_valid(const struct morsel_meta *meta, u64 data_id)
{
	return meta->magic == MORSEL_META_MAGIC &&
	       meta->version == MORSEL_META_VERSION &&
	       meta->length == sizeof(*meta) &&
	       meta->checksum == meta_checksum(meta) &&
	       meta->data_id == data_id;
}
