#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Pages that fail while they are mapped for the first time.  Run by run-all on a directory
# of a morselfs that is on a device, on a kernel with hwpoison-inject.

. tests/fs/program.sh

mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
check "failures can be injected" modprobe hwpoison-inject
check "pages fail while they are mapped" tests/pmem/failing "$work"
finish
