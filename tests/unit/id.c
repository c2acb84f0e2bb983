// SPDX-License-Identifier: GPL-2.0-only
/* id.c - the morsel ID: fields do not overlap, nothing is lost */
#include "id.h"
#include "tap.h"

static unsigned int order_of(u64 id)
{
	return (id >> MORSEL_ID_ORDER_SHIFT & MORSEL_ID_ORDER_MASK) - 1;
}

int main(void)
{
	static const u64 pfns[] = { 1, 0x12345, (1ull << 40) - 1 };
	bool order_kept = true, pfn_kept = true, plain = true, unique = true;
	unsigned int i, order, gen;

	for (i = 0; i < sizeof(pfns) / sizeof(*pfns); i++) {
		for (order = 0; order <= MORSEL_ORDER_MAX; order++) {
			u64 first = morsel_id_make(pfns[i], order, 0);

			for (gen = 0; gen < MORSEL_GENERATIONS; gen++) {
				u64 id = morsel_id_make(pfns[i], order, gen);

				order_kept &= order_of(id) == order;
				pfn_kept &= morsel_id_pfn(id) == pfns[i];
				plain &= !(id & MORSEL_ID_META) && !(id >> 63);
				plain &= (id & 0x1ff) == MORSEL_ID_FLAGS;
				unique &= !gen || id != first;
			}
			unique &= morsel_id_make(pfns[i], order,
						 MORSEL_GENERATIONS) == first;
		}
	}
	ok(order_kept, "the order tag is kept");
	ok(pfn_kept, "the frame is kept");
	ok(plain, "entry flags are right, meta and NX clear");
	ok(unique, "generations differ until they go round");
	return done();
}
