# SPDX-License-Identifier: GPL-2.0-only
# Bash completion of morsel(1) and mkfs.morselfs(8).
# shellcheck shell=bash

_morsel() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words='' files=

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words='check chmod chown create get info ls pool populate punch put rm stat top tree --help --version'
	elif [[ $prev == --into ]]; then
		words=$(morsel ls -q 2>/dev/null)
		files=1
	elif [[ $command == top && ($prev == -s || $prev == --sort) ]]; then
		words='pages attach data tables mappings'
	elif [[ $prev == -[icons] || $prev == --interval || $prev == --count || $prev == --order || $prev == --size ]]; then
		[[ $prev == --order || $prev == -o && $command != @(populate|punch) ]] && words='0 1 2 3 4'
	elif [[ $cur == -* ]]; then
		words=--help
		case $command in
		create) words+=' --order --size --mode --address --json' ;;
		get) words+=' --bytes --offset' ;;
		check) words+=' --force --json' ;;
		info | pool | tree) words+=' --json' ;;
		stat) words+=' --interval --count --json' ;;
		top) words+=' --interval --count --sort' ;;
		ls) words+=' --quiet --json' ;;
		populate | punch) words+=' --offset --bytes' ;;
		put) words+=' --order --size --mode --into --offset --json' ;;
		esac
	else
		case $command in
		chmod) ((COMP_CWORD > 2)) && words=$(morsel ls -q 2>/dev/null) ;;
		chown)
			if ((COMP_CWORD > 2)); then
				words=$(morsel ls -q 2>/dev/null)
			else
				words=$(compgen -u)
			fi
			;;
		rm) words=$(morsel ls -q 2>/dev/null) ;;
		get | info | populate | punch | stat | tree)
			words=$(morsel ls -q 2>/dev/null)
			files=1
			;;
		pool) if ((COMP_CWORD == 2)); then words=info; else files=1; fi ;;
		check | put) files=1 ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	if [[ $files ]]; then
		compopt -o filenames
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -F _morsel morsel

_mkfs_morselfs() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	case $prev in
	-u | --owner) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	-g | --group) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
	-m | --mode | -U | --uuid) ;;
	*)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W \
				'--force --group --mode --owner --quiet --uuid --help --version' -- "$cur")
		else
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		;;
	esac
}

complete -F _mkfs_morselfs mkfs.morselfs
