# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of clients: split, bounded, cleaned, and no more of them shown than is good."""

from __future__ import annotations

import random

import pytest

from ptmon.outputs import stderr
from ptmon.outputs.server import lines
from ptmon.outputs.server.lines import LINE_MOST, Line, Lines, Quota, Teller, Voice, without_telnet


def split(*chunks: bytes) -> list[Line]:
    lines, found = Lines(), []
    for chunk in chunks:
        lines.feed(chunk)
        while (line := lines.next()) is not None:
            found.append(line)
    return found


def test_lf_and_crlf_both_end_a_line() -> None:
    assert [line.data for line in split(b"one\ntwo\r\n\nthree\r", b"\nfo", b"ur\n", b"never ended")] == [
        b"one",
        b"two",
        b"",
        b"three",
        b"four",
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_of_the_bound_is_whole_and_one_more_byte_is_cut(end: bytes) -> None:
    whole, longer = b"x" * LINE_MOST, b"x" * (LINE_MOST + 1)
    assert split(whole + end) == [Line(whole, False)]
    assert split(longer + b"yz" + end + b"next" + end) == [Line(whole, True), Line(b"next", False)]


def test_a_very_long_line_is_cut_and_takes_no_memory() -> None:
    lines, found = Lines(), []
    for _ in range(1024):
        lines.feed(b"z" * 1024)
        while (line := lines.next()) is not None:
            found.append(line)
        assert len(lines._data) <= LINE_MOST + 1
    lines.feed(b"\nnext\n")
    while (line := lines.next()) is not None:
        found.append(line)
    assert found == [Line(b"z" * LINE_MOST, True), Line(b"next", False)]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (b"\xff\xfd\x06done", b"done"),
        (b"do\xff\xf4ne\xff\xfb\x01", b"done"),
        (b"\xff\xfa\x18\x00xterm\xff\xf0done", b"done"),
        (b"a\xff\xffb", b"a\xffb"),
        (b"done\xff", b"done"),
        (b"done\xff\xfa\x01junk", b"done"),
        (b"plain", b"plain"),
    ],
)
def test_commands_of_telnet_are_taken_out(said: bytes, left: bytes) -> None:
    assert without_telnet(said) == left


def test_no_line_of_junk_has_a_character_that_cannot_be_shown() -> None:
    junk = random.Random(5).randbytes(1 << 16)
    shown = [line.text for line in split(junk + b"\ndone\n")]
    assert len(shown) > 100
    assert all(text.isprintable() for text in shown)
    assert shown[-1] == "done"


def test_bytes_that_are_not_utf_8_and_control_characters_are_escapes() -> None:
    (line,) = split("gr\u00fcn \x1b[31m\u202e".encode() + b"\xe4\n")
    assert line.text == "gr\u00fcn \\x1b[31m\\u202e\\xe4"


def test_a_quota_begins_anew_each_second() -> None:
    quota = Quota(2)
    assert [quota.take(now) for now in (7.0, 7.1, 7.9, 8.0, 8.0, 8.0, 20.5)] == [
        True,
        True,
        False,
        True,
        True,
        False,
        True,
    ]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(stderr, "say", lines.append)
    monkeypatch.setattr(stderr, "would_wait", lambda: False)
    return lines


def test_a_flood_is_counted_and_the_count_told(said: list[str]) -> None:
    voice = Voice(Teller(), "127.0.0.1:60836")
    for _ in range(lines.SHOWN_PER_CLIENT + 7):
        voice.say(Line(b"hello", False), 3.0)
    assert said == ["client-> 127.0.0.1:60836, says: hello"] * lines.SHOWN_PER_CLIENT
    voice.say(Line(b"again", False), 4.0)
    assert said[-1] == "client-> 127.0.0.1:60836, says: again (7 lines before it not shown)"
    voice.end(4.0)
    assert len(said) == lines.SHOWN_PER_CLIENT + 1  # nothing is left to be told


def test_what_was_not_shown_is_told_at_the_end(said: list[str]) -> None:
    voice = Voice(Teller(), "[::1]:5")
    for _ in range(lines.SHOWN_PER_CLIENT + 1):
        voice.say(Line(b"hello", False), 3.0)
    voice.end(4.0)
    assert said[-1] == "client-> [::1]:5: 1 line more not shown"


def test_all_clients_together_have_a_bound_too(said: list[str]) -> None:
    teller = Teller()
    for number in range(1000):
        Voice(teller, str(number)).say(Line(b"hello", False), 3.0)
    assert len(said) == lines.SHOWN_PER_SECOND


def test_a_stderr_that_nobody_reads_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setattr(stderr, "would_wait", lambda: True)
    voice = Voice(Teller(), "peer")
    voice.say(Line(b"hello", False), 3.0)
    assert said == []
    monkeypatch.setattr(stderr, "would_wait", lambda: False)
    voice.say(Line(b"hello", False), 3.0)
    assert said == ["client-> peer, says: hello (1 line before it not shown)"]


def test_a_cut_line_is_marked_and_escapes_do_not_make_it_longer(said: list[str]) -> None:
    Voice(Teller(), "peer").say(Line(b"\x01" * LINE_MOST, True), 3.0)
    assert said == ["client-> peer, says: " + "\\x01" * (LINE_MOST // 4) + " …"]
