# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the scripts beside it: messages, Debian packages, the cache.
# shellcheck shell=bash

# Debian keeps depmod and friends out of a user's PATH.
PATH=$PATH:/usr/sbin:/sbin

# What is fetched is kept outside the tree, so that "make clean" and a second
# clone cost no second download.
# shellcheck disable=SC2034 # used by those who source this file
cache=${MORSEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/morsel}

say() { echo "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root or sudo for: $*"
	fi
}

# Standard output belongs to what a script prints as its result.
apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >&2; }

apt_update() {
	say "updating the package lists"
	apt_get update || say "some package lists could not be updated"
}

# download PACKAGE...: put the .deb files into the current directory.
download() { apt-get -q -o APT::Sandbox::User=root download "$@" >&2; }
