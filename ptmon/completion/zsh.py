# SPDX-License-Identifier: GPL-2.0-or-later
"""zsh: the words of its own ``_arguments``."""

from __future__ import annotations

from ptmon.completion.values import about, kind
from ptmon.options import TABLE, Option

SCRIPT = r"""#compdef ptmon
# zsh completion for ptmon(1), made from its table of options.

_ptmon_processes() {
	_alternative 'processes:process:_pids' 'names:program:_process_names -a'
}

_ptmon() {
	# Options end at the first word that is none: -A.
	_arguments -s -S -A '-*' \
@OPTIONS@
		'(-)1:program:_command_names -e' \
		'*::argument:_normal'
}

# Found in fpath this is the function itself; read by source or eval it has to be made known.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
	_ptmon "$@"
else
	compdef _ptmon ptmon
fi
"""
LISTS = {"files": "_files", "programs": "_command_names -e", "processes": "_ptmon_processes"}


def script() -> str:
    """The file that zsh reads."""
    lines = (f"\t\t{_spec(option, flag)} \\" for option in TABLE for flag in option.flags)
    return SCRIPT.replace("@OPTIONS@", "\n".join(lines))


def _spec(option: Option, flag: str) -> str:
    """``'(-q --quiet)--quiet[no report on stderr]'``."""
    before = "*" if option.repeatable else f"({' '.join(option.flags)})"
    return f"'{_quoted(before + flag)}{_form(option, flag)}[{_quoted(about(option), ']:')}]{_value(option)}'"


def _form(option: Option, flag: str) -> str:
    """Where the value stands: ``=`` in the same word or the next, ``=-`` in the same."""
    if option.metavar is None:
        return ""
    if option.default is not None:
        return "=-"
    return "=" if flag.startswith("--") else "+"


def _value(option: Option) -> str:
    if option.metavar is None:
        return ""
    listed = f"({' '.join(option.choices)})" if option.choices else LISTS.get(kind(option), "")
    name = _quoted(option.metavar.strip("[]="), ":")
    before = "::" if option.default is not None else ":*-*:" if option.files else ":"
    return f"{before}{name}:{listed or ' '}"


def _quoted(text: str, letters: str = "") -> str:
    for letter in letters:
        text = text.replace(letter, f"\\{letter}")
    return text.replace("'", "'\\''")
