#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Files that several processes use, on the kernel that looks for data races; see
# kcsan.t.

set -euo pipefail
cd "$(dirname "$0")/../.."

exec vm/run --kernel 6.12-kcsan --timeout 3000 --append kcsan.skip_watch=200 -- \
	tests/fs/guest -s 20 -t 900 -- races race-size race-copy race-grow race-link race-sync fsx
