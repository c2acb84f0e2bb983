# SPDX-License-Identifier: GPL-2.0-only
# Sourced by those that run the tests of a file system on morselfs: all but what
# knows nothing of it, and what needs a kernel that can make allocations fail.
# shellcheck shell=bash disable=SC2034 # used by those who source this file

names=(morsels eof names attributes xattr permissions io locks watch futex handles space memcg
	races race-size race-copy race-grow race-link race-sync fsx)

# Those for a device: but for what looks at the memory of a control group, of which
# nothing is used, or counts each frame of a directory.
device_names=()
for name in "${names[@]}"; do
	[[ $name = @(space|memcg) ]] || device_names+=("$name")
done
