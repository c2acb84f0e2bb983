#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest-KERNEL-LEVELS-PTI[-CPUS].t, all links to this file: the guest tests in a
# guest with that kernel, 4 or 5 levels of page tables, page-table isolation on or
# off, and that many processors.  What goes through the command line has little to
# do with page-table isolation, and is left out where that is off.

set -euo pipefail
cd "$(dirname "$0")/.."
. tests/configuration.sh

options=()
[ "$pti" = on ] || options=(-x)
exec vm/run "${configuration[@]}" --timeout 1200 -- tests/guest/run-all "${options[@]}"
