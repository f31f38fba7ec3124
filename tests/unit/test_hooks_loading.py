# SPDX-License-Identifier: GPL-2.0-or-later
"""A file of hooks: what it gives, and what is said of one that is no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptmon.errors import EXIT_OWN, EXIT_USAGE, PtmonError, UsageError
from ptmon.hooks import load


def written(folder: Path, text: str) -> str:
    path = folder / "mine.py"
    path.write_text(text)
    return str(path)


HEAD = "import ptmon\n\n@ptmon.hook('openat')\n"


def test_a_file_gives_its_hooks_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text(f"{HEAD}def shared(call): pass\n")
    text = (
        "from __future__ import annotations\nimport dataclasses\n"
        f"{HEAD}def second(call): pass\n"
        "from beside_it import shared\nagain = second\n"
        f"{HEAD}def first(call): pass\n"
        "@dataclasses.dataclass\nclass Row:\n    number: int\n"
    )
    found = load(written(tmp_path, text))
    assert [each.name for each in found] == ["second", "shared", "first"]
    assert sorted(path.name for path in tmp_path.glob("mine*")) == ["mine.py"], "and leaves nothing beside it"


def test_a_file_that_is_not_there_or_has_no_hook_is_wrong_usage(tmp_path: Path) -> None:
    for path, said in (
        (str(tmp_path / "none.py"), "ENOENT"),
        (str(tmp_path), "EISDIR"),
        (written(tmp_path, ""), "no hook"),
    ):
        with pytest.raises(UsageError, match=said) as caught:
            load(path)
        assert path in str(caught.value) and caught.value.exit_status == EXIT_USAGE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = a +\n", ":2: invalid syntax"),
        ("import ptmon\n\ndef f():\n    return 1 / 0\n\nf()\n", ":4: ZeroDivisionError: division by zero"),
        (
            "import ptmon\n@ptmon.hook('opneat')\ndef f(call): pass\n",
            ":2: @ptmon.hook: there is no system call 'opneat'",
        ),
        ("open('/nowhere/at/all')\n", ":1: FileNotFoundError:"),
        ("\nraise SystemExit('stop')\n", ":2: SystemExit: stop"),
        ("class Own(BaseException): pass\nraise Own('mine')\n", ":2: Own: mine"),
        ("raise ValueError('two\\nlines')\n", ":1: ValueError: two lines"),
        ("a = '\0'\n", ": "),
    ],
)
def test_a_file_that_is_broken_is_told_of_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PtmonError) as caught:
        load(path)
    assert str(caught.value).startswith(f"cannot run the hooks in {path}{said}")
    assert "\n" not in str(caught.value) and caught.value.exit_status == EXIT_OWN
