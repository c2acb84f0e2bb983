#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Kernels that the module is not built for: one sentence says why, and nothing
# else does.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

mkdir -p build
tmp=$(mktemp -d "$PWD/build/refused.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# said KDIR: what a build against it says, but for make itself
said() {
	rm -rf "$tmp/module"
	! make -j2 -C kernel KDIR="$1" OUT="$tmp/module" >"$tmp/log" 2>&1 || echo built
	grep -vE '^make(\[[0-9]+\])?: ' "$tmp/log"
}

locks="morsel: error: this kernel (PREEMPT_RT or lockdep) does not export the allocator of its page-table locks"
for kernel in 6.12-rt 6.1-rt; do
	dir=$(scripts/kernel "$kernel")
	is "$kernel, with its headers" "$(said "$dir/build")" "$locks"
done

# altered NAME FILE SED_SCRIPT SENTENCE: the headers of the stock kernel but for
# one file, which is one of its headers or of those that all flavours have
stock=$(scripts/kernel 6.12)
cp -as "$stock/usr" "$tmp"
altered() {
	local file real

	file=$(echo "$tmp"/usr/src/linux-headers-*/"$2")
	real=$(readlink "$file")
	sed "$3" "$real" >"$tmp/file"
	check "there is something to alter in ${2##*/}" not cmp -s "$real" "$tmp/file"
	mv "$tmp/file" "$file"
	is "6.12, but $1" "$(said "$tmp"/usr/src/linux-headers-*-amd64)" "morsel: error: $4"
	ln -sf "$real" "$file"
}
not() { ! "$@"; }

altered "with lockdep" include/generated/bounds.h \
	's/\(SPINLOCK_SIZE\) .*/\1 64/' "${locks#*error: }"
altered "without MMU_NOTIFIER" include/generated/autoconf.h '/CONFIG_MMU_NOTIFIER /d' \
	"morsel needs an x86-64 kernel with MMU_NOTIFIER"
altered "without ZONE_DMA" include/generated/autoconf.h '/CONFIG_ZONE_DMA /d' \
	"morsel needs ZONE_DMA: by the zone of its pages a file is exempt from NUMA balancing"
altered "before 6.12.105" include/linux/userfaultfd_k.h '/vm_flags & VM_SPECIAL/d' \
	"this kernel lets userfaultfd write into shared page tables; take a newer one of its series"
altered "with global ASIDs" arch/x86/include/asm/tlbflush.h '1i /* global_asid */' \
	"this kernel has global ASIDs (AMD INVLPGB), which the TLB shootdown does not know"

# dkms(8) leaves out what is refused for good, and none of the others.
excluded() {
	local option options

	read -ra options < <(sed -n 's/^BUILD_EXCLUSIVE_CONFIG="\(.*\)"/\1/p' dkms.conf)
	for option in "${options[@]}"; do
		! grep -q "^${option#!}=" "$(scripts/kernel "$1")/build/.config" || echo "$1"
	done
}
is "what dkms leaves out" "$(for kernel in 6.12 6.1 6.12-cloud 6.12-rt 6.1-rt; do excluded "$kernel"; done | xargs)" \
	"6.12-rt 6.1-rt"

finish
