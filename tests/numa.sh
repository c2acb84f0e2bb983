#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# numa-KERNEL-LEVELS-PTI.t, all links to this file: a guest of two NUMA nodes
# with that kernel, 4 or 5 levels of page tables, page-table isolation on or off

set -euo pipefail
cd "$(dirname "$0")/.."

IFS=- read -r _ kernel levels pti <<<"$(basename "$0" .t)"
case $levels in
4lvl) cpu=max,la57=off ;;
5lvl) cpu=max ;;
esac
case $pti in
pti) pti=on ;;
nopti) pti=off ;;
esac

exec vm/run --kernel "$kernel" --cpu "$cpu" --append "pti=$pti" --nodes 2 --mem 1G -- \
	tests/guest/run-all numa attach gup races walk fragment
