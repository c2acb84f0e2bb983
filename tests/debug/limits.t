#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory that runs out, on the kernel that checks; its checks take a part of the
# memory, too.

set -euo pipefail
cd "$(dirname "$0")/../.."

exec vm/run --kernel 6.12-debug --mem 1G --oom --timeout 1200 -- \
	tests/guest/run-all -t 400 memcg oom thp
