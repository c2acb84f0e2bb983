#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest tests on a kernel that checks memory, locks and page tables while
# they run; its log is judged as any other.

set -euo pipefail
cd "$(dirname "$0")/../.."

exec vm/run --kernel 6.12-debug --timeout 3000 -- tests/guest/run-all -t 900
