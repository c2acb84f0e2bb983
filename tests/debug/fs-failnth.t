#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each allocation of each operation on morselfs fails in turn.

set -euo pipefail
cd "$(dirname "$0")/../.."

exec vm/run --kernel 6.12-debug --timeout 1800 -- \
	tests/fs/guest -t 1500 -- failnth
