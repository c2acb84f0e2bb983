#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The fuzzer on the kernel that looks for data races: two minutes of the same seeds
# each time.

set -euo pipefail
cd "$(dirname "$0")/../.."

exec vm/run --kernel 6.12-kcsan --timeout 900 --append kcsan.skip_watch=200 -- \
	build/tests/guest/fuzz --seed 2 --seconds 120
