#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest-KERNEL-LEVELS-PTI[-CPUS].t, all links to this file: the guest tests in a
# guest with that kernel, 4 or 5 levels of page tables, page-table isolation on or
# off, and that many processors.  All tests run with 4 levels and isolation, and on
# 6.12 all but those that go through the command line with 5 and none; with the
# other combinations and on the cloud kernel those that have to do with either.  The
# races are left to races.sh where that runs them.

set -euo pipefail
cd "$(dirname "$0")/.."
. tests/configuration.sh

case $kernel-$levels-$pti in
6.12-cloud-*) options=(-c) ;;
*-4-on) options=() ;;
6.12-5-off) options=(-x) ;;
*) options=(-c) ;;
esac
[ ! -e "tests/races-$kernel-${levels}lvl-$([ "$pti" = on ] || echo no)pti.t" ] || options+=(-r)
exec vm/run "${configuration[@]}" --timeout 1200 -- tests/guest/run-all "${options[@]}"
