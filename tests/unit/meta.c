// SPDX-License-Identifier: GPL-2.0-only
/* meta.c - what is taken for a meta morsel, and what is not */
#include <string.h>

#include "meta.h"
#include "tap.h"

int main(void)
{
	struct morsel_meta meta, broken;
	bool found = true;
	size_t i;

	_Static_assert(sizeof(meta) == 40, "the layout never changes");
	ok(crc32_le(~0u, (const u8 *)"123456789", 9) == ~0xcbf43926u,
	   "the checksum is CRC-32");
	memset(&meta, 0xff, sizeof(meta));
	morsel_meta_set(&meta, 42, 1ull << 40);
	ok(morsel_meta_valid(&meta, 42) && meta.address == 1ull << 40,
	   "valid as it was made");
	ok(!morsel_meta_valid(&meta, 43), "not for another data morsel");
	for (i = 0; i < 8 * sizeof(meta); i++) {
		broken = meta;
		((u8 *)&broken)[i / 8] ^= 1u << i % 8;
		found &= !morsel_meta_valid(&broken, 42) &&
			 !morsel_meta_valid(&broken, broken.data_id);
	}
	ok(found, "any wrong bit is found");
	memset(&broken, 0, sizeof(broken));
	ok(!morsel_meta_valid(&broken, 0), "nor is a zeroed frame");
	morsel_meta_set(&meta, 0, 1ull << 40);
	ok(!morsel_meta_valid(&meta, 42), "nor one whose data is gone");
	return done();
}
