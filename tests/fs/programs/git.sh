#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# git, which maps packs and indices, renames files over others and links them: a
# repository of this project's tests, cloned, checked out, packed, checked.

. tests/fs/program.sh
cd "$work" || exit
export GIT_CONFIG_GLOBAL=$work/config GIT_CONFIG_NOSYSTEM=1
git config --global user.name test
git config --global user.email test@example.org
git config --global init.defaultBranch one
git config --global gc.auto 0

run() { git -C "$work/first" "$@"; }

check "init" git init -q first
for part in guest fuzz unit; do
	cp -r "$top/tests/$part" first/
	run add .
	check "commit $part" run commit -qm $part
done
check "a branch" run checkout -qb two HEAD~2
cp -r "$top/tests/debug" first/
run add .
check "commit on it" run commit -qm debug
check "merge" run merge -qm merge one
check "fsck" run fsck --strict --full
check "gc" run gc -q --aggressive --prune=now
check "fsck of packs" run fsck --strict --full

check "clone by links" git clone -q first second
check "clone by a pack" git clone -q "file://$work/first" third
for tree in second third; do
	check "$tree: fsck" git -C $tree fsck --strict --full
	is "$tree: the same commit" "$(git -C $tree rev-parse HEAD)" "$(run rev-parse HEAD)"
	check "$tree: the same files" diff -r --exclude .git first $tree
	check "$tree: another branch" git -C $tree checkout -q origin/one
	check "$tree: without the rest" test ! -e $tree/debug
	check "$tree: clean" test -z "$(git -C $tree status --porcelain)"
done
for part in guest fuzz unit debug; do
	check "$part is what it was" diff -r "first/$part" "$top/tests/$part"
done
echo change >>second/guest/run-all
is "a change is seen" "$(git -C second status --porcelain)" " M guest/run-all"
check "and undone" git -C second checkout -q -- guest/run-all
is "it is gone" "$(git -C second status --porcelain)" ""
finish
