#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# trinity-KERNEL.t, links to this file: trinity in a guest with that kernel.  Its
# calls may exhaust the guest's memory by means that are not ours.

set -euo pipefail
cd "$(dirname "$0")/.."

IFS=- read -r _ kernel <<<"$(basename "$0" .t)"
exec vm/run --kernel "$kernel" --cpu max --oom -- tests/guest/run-all trinity.sh
