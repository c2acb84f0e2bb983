#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fs-KERNEL-LEVELS-PTI.t, all links to this file: morselfs in a guest with that
# kernel, 4 or 5 levels of page tables, page-table isolation on or off: what a file
# system in memory must do, random operations and races, and, with 4 levels, LMDB;
# make programs runs all of those that know nothing of it

set -euo pipefail
cd "$(dirname "$0")/.."
. tests/configuration.sh
. tests/fs/names.sh

names+=(cli.sh)
[ "$levels" = 5 ] || names+=(lmdb.sh)
exec vm/run "${configuration[@]}" --timeout 1800 -- \
	tests/fs/guest -s "${SECONDS_PER_RACE:-10}" -- "${names[@]}"
