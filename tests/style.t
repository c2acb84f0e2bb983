#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Style of the sources: checkpatch, sparse, the compiler's W=1, shellcheck, SPDX.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

# checkpatch FILE [IGNORED_TYPES]
checkpatch() {
	check "checkpatch --strict $1" scripts/checkpatch --no-tree --strict --quiet \
		--show-types --no-summary --ignore "${2-NONE}" --file "$1"
}

for file in kernel/*.[ch] include/uapi/linux/morsel.h; do
	case $file in
	# A type whose name changed between kernels needs one of ours.
	kernel/compat.h) checkpatch "$file" NEW_TYPEDEFS ;;
	# One half of it is for user space, which has no u64.
	# Laid out as all headers of tracepoints are.
	kernel/trace.h) checkpatch "$file" OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT ;;
	kernel/plat.h) checkpatch "$file" PREFER_KERNEL_TYPES,CAMELCASE ;;
	*) checkpatch "$file" ;;
	esac
done

# What sparse and the compiler say of the kernel's own headers is not ours.
warnings() {
	local out=$PWD/build/style-$1 log

	rm -rf "$out"
	log=$(make -C kernel KERNEL="$1" OUT="$out" C=2 W=1 2>&1) || { echo "$log"; return 1; }
	! grep -E "^$out/.*(warning|error):|^(WARNING|ERROR): modpost" <<<"$log"
}
for kernel in 6.12 6.1; do
	check "sparse and W=1 for kernel $kernel" warnings "$kernel"
done

mapfile -t files < <(git ls-files --cached --others --exclude-standard)
for file in "${files[@]}"; do
	case $file in
	*.sh | *.t) ;;
	*) [[ $(head -n 1 "$file" | tr -d '\0') =~ ^#!.*sh$ ]] || continue ;;
	esac
	# SC2317: it takes a function that is handed to "check" for unreachable.
	[ -L "$file" ] || check "shellcheck $file" shellcheck --external-sources \
		--exclude SC2317 "$file"
done

# What "make mutants" takes out must still be there as it says.
applies() { patch -p1 --dry-run --silent --fuzz=0 <"$1"; }
for file in tests/mutants/*.patch; do
	check "$file applies" applies "$file"
done

# Everything but prose and the licences themselves.
unmarked() {
	local file status=0

	for file in "${files[@]}"; do
		case $file in
		*.md | VERSION | LICENSES/*) continue ;;
		esac
		head -n 5 "$file" | grep -q SPDX-License-Identifier: || { echo "$file"; status=1; }
	done
	return "$status"
}
check "every source file has an SPDX line" unmarked

finish
