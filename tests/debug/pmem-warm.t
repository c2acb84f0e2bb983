#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Programs that go on where they were, on 6.1, for which there is no time in make check.

cd "$(dirname "$0")/../.." || exit 1
WARM_KERNEL=6.1 exec tests/pmem-warm.t
