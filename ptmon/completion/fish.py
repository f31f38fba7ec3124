# SPDX-License-Identifier: GPL-2.0-or-later
"""fish: a line for each option."""

from __future__ import annotations

from ptmon.completion.values import VALUED, about, kind
from ptmon.options import TABLE, Option

SCRIPT = r"""# fish completion for ptmon(1), made from its table of options.

# Whether options may still come: they end at the first word that is none.
function __ptmon_before_program
    set -l words (commandline -opc)
    set -l skip 1
    set -l files 0
    for word in $words
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --
                return 1
            case @FILES@
                set skip 1
                set files 1
            case @VALUED@
                set skip 1
            case '-?*'
                set files 0
            case '*'
                test $files = 1; or return 1
        end
    end
end

# Whether a file is wanted: so it is behind another of these options.
function __ptmon_before_file
    __ptmon_before_program; or return 1
    for word in (commandline -opc)[-1..1]
        switch $word
            case @FILES@
                return 0
            case '-*'
                return 1
        end
    end
    return 1
end

complete -c ptmon -f -n 'not __ptmon_before_file' -a '(__fish_complete_subcommand @VALUED@)'
complete -c ptmon -n __ptmon_before_file -F
@OPTIONS@
"""
LISTS = {
    "files": "-r -F",
    "programs": "-x -a '(__fish_complete_command)'",
    "processes": "-x -a '(__fish_complete_pids)'",
}


def script() -> str:
    """The file that fish reads."""
    made = SCRIPT.replace("@VALUED@", " ".join(VALUED))
    made = made.replace("@FILES@", " ".join(flag for option in TABLE if option.files for flag in option.flags))
    return made.replace("@OPTIONS@", "\n".join(map(_line, TABLE)))


def _line(option: Option) -> str:
    flags = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
    parts = ["complete -c ptmon -n __ptmon_before_program", flags, _value(option), f"-d {_quoted(about(option))}"]
    return " ".join(part for part in parts if part)


def _value(option: Option) -> str:
    if option.metavar is None or option.default is not None:  # that one may be left out
        return ""
    if option.choices:
        return f"-x -a {_quoted(' '.join(option.choices))}"
    return LISTS.get(kind(option), "-x")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
