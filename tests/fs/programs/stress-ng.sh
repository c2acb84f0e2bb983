#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# stress-ng: its stressors of files and of their mappings, each for so many rounds
# and with its own checks.  One that finds that it can do nothing has not passed.

. tests/fs/program.sh
cd "$work" || exit

# NAME=ROUNDS OPTION...
stressors=(
	access=20 chdir=50 chmod=50 copy-file=10 dentry=200 dir=200 dup=20 fault=100
	'fallocate=10 --fallocate-bytes 64M' filename=10 flock=100 fstat=20 getdent=20 handle=50 hdd=50 inotify=5
	iomix=50 lease=50 link=20 locka=100 lockf=100 lockofd=100 mknod=20 'mmap=5 --mmap-bytes 1M --mmap-file'
	'mmap=5 --mmap-bytes 1M --mmap-file --mmap-async' 'msync=50 --msync-bytes 1M' open=100
	'readahead=20 --readahead-bytes 1M' rename=200 'revio=20 --revio-bytes 1M' 'seek=50 --seek-size 1M'
	'sendfile=50 --sendfile-size 256K' splice=50 symlink=20 'sync-file=10 --sync-file-bytes 1M' touch=50
	utime=100 xattr=5 aio=50
)
for stressor in "${stressors[@]}"; do
	read -r stressor options <<<"$stressor"
	name=${stressor%=*} rounds=${stressor#*=}
	# shellcheck disable=SC2086 # options are several words
	timeout 60 stress-ng --temp-path "$work" --"$name" 2 --"$name"-ops "$rounds" $options \
		--verify --timeout 15 --metrics-brief >"$log" 2>&1
	status=$?
	done=$(awk -v name="$name" '$2 == "metrc:" && $4 == name && $5 ~ /^[0-9]+$/ { print $5 }' "$log")
	if ((status == 0 && ${done:-0} > 0)) && ! grep -qE ' (fail|error): |skipp' "$log"; then
		pass "$name${options:+ $options}: $done rounds"
	else
		fail "$name${options:+ $options} (status $status)" <"$log"
	fi
done
finish
