#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The Debian packages on 6.1: a compiler under emulation once more, for which there is
# no time in make check.

cd "$(dirname "$0")/../.." || exit 1
DEB_KERNEL=6.1 exec tests/deb.t
