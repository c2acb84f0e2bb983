#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each allocation of each operation fails in turn; afterwards kmemleak looks for
# what nobody points to.

set -euo pipefail
cd "$(dirname "$0")/../.."

exec vm/run --kernel 6.12-debug -- tests/guest/run-all failnth kmemleak.sh
