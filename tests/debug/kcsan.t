#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest tests on a kernel that looks for data races (KCSAN).  Its log is judged
# as any other, but for the kernel's own races, see vm/klog-check.  One access in
# 100 or so is watched: fewer find less, more leave no time for the tests.

set -euo pipefail
cd "$(dirname "$0")/../.."

exec vm/run --kernel 6.12-kcsan --timeout 3000 --append kcsan.skip_watch=200 -- \
	tests/guest/run-all -t 900
