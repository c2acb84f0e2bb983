# SPDX-License-Identifier: GPL-2.0-only
# Sourced by what is called NAME-KERNEL-LEVELS-PTI.t: a guest with that kernel, 4
# or 5 levels of page tables, page-table isolation on or off, as options of vm/run.
# shellcheck shell=bash

IFS=- read -r _ kernel levels pti <<<"$(basename "$0" .t)"
case $levels in
4lvl) cpu=max,la57=off ;;
5lvl) cpu=max ;;
esac
case $pti in
pti) pti=on ;;
nopti) pti=off ;;
esac
# shellcheck disable=SC2034 # used by those who source this file
configuration=(--kernel "$kernel" --cpu "$cpu" --append "pti=$pti")
