// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the driver's totals on one line; run-all compares them around each
 * test.
 */
#include "guest.h"

int main(int argc, char **argv)
{
	struct morsel_stats s;

	guest_init(argc, argv);
	s = stats();
	printf("%llu morsels, %llu data frames, %llu table frames, %llu reserve frames, %llu attachments\n",
	       s.morsels, s.data_frames, s.table_frames, s.reserve_frames,
	       s.attachments);
	return 0;
}
