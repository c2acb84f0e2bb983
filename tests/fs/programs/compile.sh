#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A C project compiled, linked and run: this project's library and tool.

. tests/fs/program.sh
cd "$work" || exit

# The compiler's own files, too.
mkdir tmp
export TMPDIR=$work/tmp

cp -r "$top"/{lib,tools,include,programs.mk,VERSION} .
check "make" make -s -j 2 -C tools
check "the tool runs" build/bin/morsel --version
is "and says its version" "$(build/bin/morsel --version | grep -cF "$(<VERSION)")" 1
check "the shared library is one" test "$(nm -D --defined-only build/lib/libmorsel.so | grep -c ' T morsel_')" -gt 10
is "nothing to do" "$(make -j 2 -C tools 2>&1 | grep -c -w -- -c)" 0
sleep 0.1
touch lib/morsel.h
check "a header is touched" test "$(make -j 2 -C lib 2>&1 | grep -c -w -- -c)" -gt 1
find build -name '*.o' -exec sha256sum {} + >sums
make -s -C lib clean
make -s -C tools clean
check "make again" make -s -C tools
check "the same comes out" sha256sum --quiet -c sums
finish
