# SPDX-License-Identifier: GPL-2.0-or-later
"""bash: a function. It needs no bash-completion, but completes the traced program's own words where that is there."""

from __future__ import annotations

from ptmon.completion.values import OPTIONAL, SWITCHES, VALUED, kind
from ptmon.options import BY_FLAG, TABLE

SCRIPT = r"""# bash completion for ptmon(1), made from its table of options.

# Adds what compgen lists.
_ptmon_add() {
	local word
	while IFS= read -r word; do
		COMPREPLY+=("$word")
	done < <(compgen "$@" 2>/dev/null)
}

_ptmon_files() {
	compopt -o filenames 2>/dev/null
	_ptmon_add -f -- "$1"
}

# The program's own command line, which begins at word $1.
_ptmon_program() {
	if declare -F _comp_command_offset >/dev/null; then
		_comp_command_offset "$1"
	elif declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	elif ((COMP_CWORD == $1)) && [[ ${COMP_WORDS[COMP_CWORD]} != */* ]]; then
		_ptmon_add -c -- "${COMP_WORDS[COMP_CWORD]}"
	else
		_ptmon_files "${COMP_WORDS[COMP_CWORD]}"
	fi
}

# The values of option $1 that begin with $2.
_ptmon_value() {
	case $1 in
@VALUES@
	esac
}

# Options end at the first word that is none. Words may be broken at a =, or not.
_ptmon() {
	local current=${COMP_WORDS[COMP_CWORD]} word at=1
	COMPREPLY=()
	while ((at < COMP_CWORD)); do
		word=${COMP_WORDS[at]}
		[[ $word =~ ^-[@SWITCHES@]*([@LETTERS@])$ ]] && word=-${BASH_REMATCH[1]}
		case $word in
		--)
			_ptmon_program $((at + 1))
			return
			;;
		@OPTIONAL@)
			if [[ ${COMP_WORDS[at + 1]} == = ]]; then
				((at += 2))
				if ((at >= COMP_CWORD)); then
					_ptmon_value "$word" "${current#=}"
					return
				fi
			fi
			((at += 1))
			;;
		@VALUED@)
			[[ ${COMP_WORDS[at + 1]} == = ]] && ((at += 1))
			((at += 1))
			if ((at >= COMP_CWORD)); then
				_ptmon_value "$word" "${current#=}"
				return
			fi
			((at += 1))
			case $word in
			@NUMBERS@)
				while ((at < COMP_CWORD)) && [[ ${COMP_WORDS[at]} =~ ^[0-9]+$ ]]; do
					((at += 1))
				done
				;;
			@FILES@)
				while ((at < COMP_CWORD)) && [[ ${COMP_WORDS[at]} != -* ]]; do
					((at += 1))
				done
				if ((at >= COMP_CWORD)) && [[ $current != -* ]]; then
					_ptmon_value "$word" "$current"
					return
				fi
				;;
			esac
			;;
		-?*) ((at += 1)) ;;
		*)
			_ptmon_program "$at"
			return
			;;
		esac
	done
	case $current in
	--*=*)
		_ptmon_value "${current%%=*}" "${current#*=}"
		COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}")
		;;
	-*) _ptmon_add -W '@FLAGS@' -- "$current" ;;
	*) _ptmon_program "$at" ;;
	esac
}

complete -F _ptmon ptmon
"""
LISTS = {
    "files": '_ptmon_files "$2"',
    "programs": '_ptmon_add -c -- "$2"',
    "processes": '_ptmon_add -W "$(ps -eo pid=,comm= 2>/dev/null)" -- "$2"',
}


def script() -> str:
    """The file that bash reads."""
    words = {
        "VALUES": "\n".join(_values()),
        "SWITCHES": SWITCHES,
        "LETTERS": "".join(flag[1] for flag in VALUED if len(flag) == 2),
        "OPTIONAL": " | ".join(OPTIONAL),
        "VALUED": " | ".join(VALUED),
        "NUMBERS": " | ".join(flag for option in TABLE if option.numbers for flag in option.flags),
        "FILES": " | ".join(flag for option in TABLE if option.files for flag in option.flags),
        "FLAGS": " ".join(BY_FLAG),
    }
    made = SCRIPT
    for name, text in words.items():
        made = made.replace(f"@{name}@", text)
    return made


def _values() -> list[str]:
    lines = []
    for option in TABLE:
        listed = LISTS.get(kind(option))
        if option.choices:
            listed = f"_ptmon_add -W '{' '.join(option.choices)}' -- \"$2\""
        if listed:
            lines.append(f"\t{' | '.join(option.flags)}) {listed} ;;")
    return lines
