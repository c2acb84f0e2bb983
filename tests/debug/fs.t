#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests of morselfs on a kernel that checks memory, locks and page tables while
# they run; its log is judged as any other.

set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/fs/names.sh

exec vm/run --kernel 6.12-debug --timeout 3000 -- tests/fs/guest -t 900 -- "${names[@]}"
