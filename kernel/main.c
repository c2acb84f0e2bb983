// SPDX-License-Identifier: GPL-2.0-only
/*
 * morsel - memory objects that are page-table subtrees
 *
 *   dev       /dev/morsel; anon, its inodes; debug, below debugfs
 *   fs_*      morselfs
 *   ioctl     what descriptors of either are asked for
 *   mapping   VMAs, faults
 *   punch     pages taken out
 *   object    lifetime, ID, registry; meta
 *   attach    one entry in an address space; gate; tlb
 *   mirror    the same pages under other rights
 *   tree      entries, population, taking out, destruction
 *   pmem      frames of a device, pmem_frames; pool_*, what lies there
 *   dram      frames; reserve, hold, budget
 *   trace     what all of them report
 *
 * Each layer calls only those below it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <asm/cpufeature.h>

#include "debug.h"
#include "dev.h"
#include "dram.h"
#include "fs.h"
#include "object.h"
#include "pmem.h"

static int __init morsel_init(void)
{
	int err;

	/* The hypervisor of a PV guest owns its page tables. */
	if (cpu_feature_enabled(X86_FEATURE_XENPV)) {
		pr_err("cannot run in a Xen PV guest\n");
		return -ENODEV;
	}

	err = morsel_dram_setup();
	if (err)
		return err;
	err = morsel_pmem_setup();
	if (err)
		goto err_dram;
	err = morsel_dev_register();
	if (err)
		goto err_pmem;
	/* Last: from here on it may be mounted, and that is not undone. */
	err = morsel_fs_register();
	if (err)
		goto err_dev;
	morsel_debug_setup();
	return 0;

err_dev:
	morsel_dev_deregister();
err_pmem:
	morsel_pmem_teardown();
err_dram:
	morsel_dram_teardown();
	return err;
}

static void __exit morsel_exit(void)
{
	morsel_debug_teardown();
	morsel_fs_deregister();
	morsel_dev_deregister();
	morsel_object_teardown();
	morsel_pmem_teardown();
	morsel_dram_teardown();
}

module_init(morsel_init);
module_exit(morsel_exit);

MODULE_DESCRIPTION("Memory objects that are page-table subtrees");
MODULE_LICENSE("GPL");
