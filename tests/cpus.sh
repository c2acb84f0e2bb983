#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpus-KERNEL-LEVELS-PTI-CPUS.t, all links to this file: the guest tests in which
# processes, threads or processors meet, with one processor and with many

set -euo pipefail
cd "$(dirname "$0")/.."
. tests/configuration.sh

exec vm/run "${configuration[@]}" --timeout 1200 -- tests/guest/run-all \
	attach lifetime ephemeral destroy revoke gup sync populate fill punch evict \
	punchers race-dontneed race-munmap race-mprotect race-mremap race-fork \
	race-levels churn walk remap process lock trace
