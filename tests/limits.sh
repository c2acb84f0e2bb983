#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# limits-KERNEL.t, links to this file: a guest with that kernel and so little
# memory that it runs out; and the module unloaded, with and without users

set -euo pipefail
cd "$(dirname "$0")/.."

IFS=- read -r _ kernel <<<"$(basename "$0" .t)"
exec vm/run --kernel "$kernel" --cpu max --mem 640M --oom -- \
	tests/guest/run-all -t 300 memcg oom thp unload
