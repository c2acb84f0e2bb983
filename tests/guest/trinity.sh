#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# trinity as an ordinary user: on the device, and on morsels.  It knows none of
# our ioctls, so it never gets a morsel from the device; the descriptor of one is
# slipped in where it opens the device (tests/fuzz/victim.c).  It hands that to all
# calls on memory and files, maps it, and does the same to the mapping.  The test
# is that nothing is left when it is killed, and that the kernel's log is clean.
# Order 3 is left out: trinity has no idea how much memory it would fill.

. tests/tap.sh

# It says how far it is every ten thousand calls; a busy machine takes longer.
readonly seconds=8 most=90 user=65534
readonly calls=(ioctl mmap munmap mprotect pkey_mprotect mremap madvise process_madvise
	mlock mlock2 munlock mincore msync remap_file_pages
	move_pages mbind migrate_pages process_vm_readv process_vm_writev
	read write pread64 pwrite64 readv writev lseek fallocate ftruncate fadvise64 readahead
	sync_file_range sendfile splice tee vmsplice copy_file_range
	dup dup2 dup3 fcntl flock fchmod fchown newfstat fstatfs close futex userfaultfd)

readonly top=$PWD
directory=$(mktemp -d)
chmod 777 "$directory"
as_user() { setpriv --reuid "$user" --regid morsel --clear-groups "$@"; }
morsels() { "$top/build/tests/guest/stats" | cut -d ' ' -f 1; }
rounds() { sed -n 's/.*\] \([0-9]*\) iterations.*/\1/p' log | tail -n 1; }

options=()
for call in "${calls[@]}"; do options+=(-c "$call"); done
cd "$directory" || exit
for victim in '' 0 1 2; do
	name=${victim:+a morsel of order $victim}
	name="trinity on ${name:-the device}"
	VICTIM=$victim
	[ "$victim" ] || unset VICTIM
	export VICTIM
	LD_PRELOAD=$top/build/tests/guest/victim.so as_user timeout -k 2 $((most + 10)) \
		trinity -q -q -l off -a 64 -C 4 --enable-fds=pseudo -V /dev/morsel \
		"${options[@]}" >log 2>&1 &
	start=$SECONDS
	until ((SECONDS - start >= most)) || [[ $(rounds) && $((SECONDS - start)) -ge $seconds ]]; do
		sleep 0.2
	done
	met=$(morsels)
	# All of that user's, wherever they are: this is a guest.
	as_user kill -KILL -1
	wait "$!"
	rounds=$(rounds)
	if [[ $rounds && ( ! $victim || $met != 0 ) ]]; then
		pass "$name: $rounds calls"
	else
		fail "$name: ${rounds:-no} calls, $met morsels" <<<"$(tail -n 10 log)"
	fi

	tries=100
	until [[ $(morsels) == 0 ]] || ((--tries == 0)); do
		sleep 0.1
	done
	is "$name: nothing is left of it" "$(morsels)" 0
done
cd "$top" || exit
rm -rf "$directory"
finish
