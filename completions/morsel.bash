# SPDX-License-Identifier: GPL-2.0-only
# Bash completion of morsel(1).
# shellcheck shell=bash

_morsel() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words=

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words='create get info ls put rm stats --help --version'
	elif [[ $prev == --into ]]; then
		words=$(morsel ls -q 2>/dev/null)
	elif [[ $prev == -[os] || $prev == --order || $prev == --size ]]; then
		[[ $prev == -o || $prev == --order ]] && words='0 1 2 3 4'
	elif [[ $cur == -* ]]; then
		words=--help
		case $command in
		create) words+=' --order --size --mode --json' ;;
		get) words+=' --bytes --offset' ;;
		info | stats) words+=' --json' ;;
		ls) words+=' --quiet --json' ;;
		put) words+=' --order --size --mode --into --offset --json' ;;
		esac
	else
		case $command in
		info | rm) words=$(morsel ls -q 2>/dev/null) ;;
		get)
			if [[ ${COMP_WORDS[*]:2:COMP_CWORD-2} == *0x* ]]; then
				compopt -o default
			else
				words=$(morsel ls -q 2>/dev/null)
			fi
			;;
		put) compopt -o default ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _morsel morsel
