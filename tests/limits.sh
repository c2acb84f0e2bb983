#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# limits-KERNEL-LEVELS-PTI.t, all links to this file: a guest with that kernel,
# 4 or 5 levels of page tables, page-table isolation on or off, and so little
# memory that it runs out; and the module unloaded, with and without users

set -euo pipefail
cd "$(dirname "$0")/.."
. tests/configuration.sh

exec vm/run "${configuration[@]}" --mem 640M --oom -- \
	tests/guest/run-all -t 300 memcg oom thp unload
