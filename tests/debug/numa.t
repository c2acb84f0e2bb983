#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two NUMA nodes, on the kernel that checks.

set -euo pipefail
cd "$(dirname "$0")/../.."

exec vm/run --kernel 6.12-debug --nodes 2 --mem 2G -- \
	tests/guest/run-all numa-place numa-bulk numa-move fragment
