# SPDX-License-Identifier: GPL-2.0-only
# Sourced by what is called NAME-KERNEL-LEVELS-PTI[-CPUS].t: a guest with that
# kernel (6.12, 6.12-cloud), 4 or 5 levels of page tables, page-table isolation on
# or off, and that many processors (8cpu; else two), as options of vm/run.
# shellcheck shell=bash disable=SC2034 # used by those who source this file

IFS=- read -ra words <<<"$(basename "$0" .t)"
kernel='' cpu='' levels='' pti='' cpus=2
for word in "${words[@]:1}"; do
	case $word in
	4lvl) levels=4 cpu=max,la57=off ;;
	5lvl) levels=5 cpu=max ;;
	pti) pti=on ;;
	nopti) pti=off ;;
	[0-9]*cpu) cpus=${word%cpu} ;;
	*) kernel+=${kernel:+-}$word ;;
	esac
done
configuration=(--kernel "$kernel" --cpu "$cpu" --append "pti=$pti" --cpus "$cpus")
