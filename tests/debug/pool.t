#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What pool.sh runs, on a kernel that checks memory, locks and page tables while they
# run; then each allocation of each operation fails in turn.

set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tap.sh
. tests/fs/names.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
check "files on a device, debug kernel" vm/run --kernel 6.12-debug --timeout 3000 --nvdimm "$tmp/device:1G" -- \
	tests/fs/guest -p -t 900 -- "${device_names[@]}" failing.sh
check "allocations that fail" vm/run --kernel 6.12-debug --timeout 1800 --nvdimm "$tmp/device:1G" \
	--nvdimm "$tmp/second:64M" -- tests/fs/guest -p -t 1500 -- failnth
check "data races" vm/run --kernel 6.12-kcsan --timeout 3000 --append kcsan.skip_watch=200 \
	--nvdimm "$tmp/device:1G" -- tests/fs/guest -p -s 20 -t 900 -- races race-size race-copy race-grow race-link race-sync fsx
finish
