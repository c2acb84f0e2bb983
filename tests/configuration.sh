# SPDX-License-Identifier: GPL-2.0-only
# Sourced by what is called NAME-KERNEL-LEVELS-PTI[-CPUS].t: a guest with that
# kernel (6.12, 6.12-cloud), 4 or 5 levels of page tables, page-table isolation on
# or off, and that many processors (8cpu; else two), as options of vm/run.
# shellcheck shell=bash

IFS=- read -ra words <<<"$(basename "$0" .t)"
kernel='' cpu='' pti='' cpus=2
for word in "${words[@]:1}"; do
	case $word in
	4lvl) cpu=max,la57=off ;;
	5lvl) cpu=max ;;
	pti) pti=on ;;
	nopti) pti=off ;;
	[0-9]*cpu) cpus=${word%cpu} ;;
	*) kernel+=${kernel:+-}$word ;;
	esac
done
# shellcheck disable=SC2034 # used by those who source this file
configuration=(--kernel "$kernel" --cpu "$cpu" --append "pti=$pti" --cpus "$cpus")
