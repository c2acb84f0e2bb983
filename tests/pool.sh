#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# pool-KERNEL-LEVELS-PTI.t, all links to this file: morselfs on an emulated NVDIMM, in a
# guest with that kernel: what a file system must do.  But for all combinations of rights,
# which take long and have nothing to do with a device.

set -euo pipefail
cd "$(dirname "$0")/.."
. tests/configuration.sh
. tests/fs/names.sh

rest=()
for name in "${device_names[@]}"; do
	[ "$name" != permissions ] || continue
	# Once is enough of what takes long and has little to do with a device.
	[[ $kernel = 6.1 && $name = @(locks|watch) ]] || rest+=("$name")
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# One of them by the rules of caches that do not persist.
[ "$kernel" = 6.12 ] && domain=mem-ctrl || domain=cpu
vm/run "${configuration[@]}" --timeout 1800 --nvdimm-domain "$domain" --nvdimm "$tmp/device:1G" -- \
	tests/fs/guest -p -s "${SECONDS_PER_RACE:-5}" -- "${rest[@]}" failing.sh lmdb.sh
