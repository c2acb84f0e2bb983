// SPDX-License-Identifier: GPL-2.0-only
/* morsel-demo FILE: hands FILE over in a morsel, measures what that costs. */
#include "demo.h"

int main(int argc, char **argv)
{
	int reader = argc == 3 && !strcmp(argv[1], "--reader");
	int writes = argc == 3 && !strcmp(argv[1], "--write"), dev;

	if (argc != 2 && !reader && !writes)
		die("usage: morsel-demo [--write] FILE (of 64 MiB to 1 GiB;"
		    " --write: measure with writes instead of reads)");
	dev = morsel_device_open();
	if (dev < 0)
		die("%s: %s", MORSEL_DEVICE, strerror(-dev));
	if (reader)
		return handover_reader(dev, argv[2]);
	return handover(dev, argv[argc - 1]) ||
	       bench(dev, writes ? PROT_READ | PROT_WRITE : PROT_READ);
}
