#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "make run" as a user sees it, with its default input.

cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh

check "make run" make run
finish
