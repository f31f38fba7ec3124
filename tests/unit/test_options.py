# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line, as one table has it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from ptmon.cli import make_settings
from ptmon.command_line import help_text, parse
from ptmon.defaults import FAST_AFTER, MAX_CLIENTS, MAX_SOCKETS
from ptmon.engines import EngineSettings
from ptmon.errors import EXIT_USAGE, UsageError
from ptmon.option_values import Address
from ptmon.options import TABLE, Options
from ptmon.preparing import ASKED, prepare


def test_the_table_and_the_fields_of_options_agree() -> None:
    assert [option.dest for option in TABLE] == [field.name for field in fields(Options) if field.name != "command"]


def test_each_field_of_options_is_the_row_of_its_flag() -> None:
    named = {option.dest: option.flags[0].lstrip("-").replace("-", "_") for option in TABLE}
    assert {dest: name for dest, name in named.items() if dest != name} == {"output": "o"}


def test_defaults_are_those_of_the_engines() -> None:
    assert Options().fast_after == FAST_AFTER == EngineSettings().fast
    given = dict(option.keyword(Options()) for option in TABLE)
    engines = {field.name: field.default for field in fields(EngineSettings) if field.name in given}
    assert {name: given[name] for name in engines} == {**engines, "fast": "auto"}


def test_each_option_of_the_engine_reaches_it() -> None:
    line = (
        "--only x --no-follow --no-io-uring --seccomp off --fast-after 7 --duration 1.5 --trace dup --deny connect"
        " --allow connect:private ls"
    )
    settings = make_settings(parse(line.split()), ("ls",), told=True, ignored=3)
    assert settings == prepare(
        command=("ls",),
        only="x",
        follow=False,
        io_uring=False,
        seccomp="off",
        fast_after=7,
        duration=1.5,
        trace=["dup"],
        deny=["connect"],
        allow=["connect:private"],
        ignored=3,
    )
    assert make_settings(parse(["--fast", "off", "ls"]), ("ls",), told=True).fast == 0
    mine = {option.keyword(Options())[0] for option in TABLE} & ASKED
    assert mine >= {"only", "follow", "io_uring", "seccomp", "fast", "fast_after", "duration", "trace", "deny", "allow"}


def test_help_tells_the_defaults_that_there_are() -> None:
    told = " ".join(help_text().split())
    for number in (FAST_AFTER, MAX_SOCKETS, MAX_CLIENTS):
        assert f"default {number}" in told


def test_no_flag_is_given_twice() -> None:
    flags = [flag for option in TABLE for flag in option.flags]
    assert len(flags) == len(set(flags))


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["ls"], ("ls",)),
        (["curl", "-s", "URL"], ("curl", "-s", "URL")),
        (["--", "ls", "--help"], ("ls", "--help")),
        (["-q", "ls", "-q"], ("ls", "-q")),
        (["--", "--odd-name"], ("--odd-name",)),
        (["ls", "--", "x"], ("ls", "--", "x")),
        (["--", "--", "x"], ("--", "x")),
        (["-", "x"], ("-", "x")),
        (["ls", ""], ("ls", "")),
        (["ls", "x\udcff"], ("ls", "x\udcff")),
    ],
)
def test_options_end_at_the_first_word_that_is_not_one(words: list[str], command: tuple[str, ...]) -> None:
    assert parse(words).command == command


def test_every_option_is_read() -> None:
    line = (
        "--only nginx --no-follow --duration 1.5 --no-io-uring -o r.json --format csv --units si --color never"
        " --quiet --interval 2 --max-sockets 7 --log=e.log --log-format jsonl --trace execve,%file --trace dup"
        " --syslog=udp://localhost --hooks h.py --hooks i.py --deny ptrace --deny connect:global --allow sendto:inet"
        " --serve [::1]:8080 --max-clients 3 --wait-client --serve-token-file t --serve-cert c --serve-key k"
        " --engine reference --seccomp off --fast off --fast-after 7 --fast-explain ls"
    )
    assert parse(line.split()) == Options(
        only="nginx",
        no_follow=True,
        duration=1.5,
        no_io_uring=True,
        output="r.json",
        format="csv",
        units="si",
        color="never",
        quiet=True,
        interval=2.0,
        max_sockets=7,
        log="e.log",
        log_format="jsonl",
        trace=("execve", "%file", "dup"),
        syslog="udp://localhost",
        hooks=("h.py", "i.py"),
        deny=("ptrace", "connect:global"),
        allow=("sendto:inet",),
        serve=Address("::1", 8080),
        max_clients=3,
        wait_client=True,
        serve_token_file="t",
        serve_cert="c",
        serve_key="k",
        engine="reference",
        seccomp="off",
        fast="off",
        fast_after=7,
        fast_explain=True,
        command=("ls",),
    )


def test_what_is_learnt_goes_to_a_file() -> None:
    assert parse(["--learn", "l.rules", "ls"]) == Options(learn="l.rules", command=("ls",))


@pytest.mark.parametrize(
    "words",
    [
        ["-p", "7", "--attach", "8"],
        ["-p7", "--attach=8"],
        ["--attach=7", "-qp8"],
        ["-p", "7,8"],
        ["-p7, 8"],
        ["--attach", " 7 8\n"],
        ["-p", "7", "8"],
        ["--attach=7", "-p", "8", "-q"],
    ],
)
def test_forms_of_a_value(words: list[str]) -> None:
    assert parse(words).attach == (7, 8)


def test_an_attach_takes_names_and_numbers() -> None:
    assert parse(["-p", "nginx,7", "8", "-q"]).attach == ("nginx", 7, 8)


def test_an_option_whose_value_may_be_left_out_takes_one_only_behind_an_equals_sign() -> None:
    assert (parse(["--log", "ls"]).log, parse(["--log", "ls"]).command) == ("", ("ls",))
    assert (parse(["--log=FILE", "ls"]).log, parse(["ls"]).log) == ("FILE", None)
    assert (parse(["--syslog", "ls"]).syslog, parse(["--syslog=/s", "ls"]).syslog) == ("/dev/log", "/s")


def test_traced_calls_go_to_stderr_if_nothing_says_where_else() -> None:
    assert parse(["--trace", "dup", "ls"]).log == ""
    assert parse(["--trace", "dup", "--log=FILE", "ls"]).log == "FILE"
    assert parse(["--trace", "dup", "--serve", "8080", "ls"]).log is None
    assert parse(["--trace", "dup", "--syslog", "ls"]).log is None


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("8080", "127.0.0.1", 8080),
        ("localhost:0", "localhost", 0),
        ("[::]:1", "::", 1),
        ("0.0.0.0:65535", "0.0.0.0", 65535),
    ],
)
def test_an_address_to_listen_on(text: str, host: str, port: int) -> None:
    assert parse(["--serve", text, "ls"]).serve == Address(host, port)


def test_a_value_may_look_like_an_option() -> None:
    assert parse(["-o", "--", "ls"]).output == "--"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to trace"),
        (["-q"], "nothing to trace"),
        (["--"], "nothing to trace"),
        ([""], "name is empty"),
        (["--bogus"], "no option --bogus"),
        (["--quie", "ls"], "no option --quie"),
        (["-x", "ls"], "no option -x"),
        (["-qx", "ls"], "no option -x"),
        (["--quiet=1", "ls"], "--quiet takes no value"),
        (["--attach"], "--attach needs a value: PID"),
        (["-p"], "-p needs a value: PID"),
        (["-p", "0"], "'0' is not a process id"),
        (["-p", "-1"], "'-1' is not a process id"),
        (["-p", "7x"], "'7x' is not a process id"),
        (["-p", "4294967296"], "is not a process id"),
        (["-p", "٣"], "is not a process id"),
        (["-p", "1", "ls"], "do not go together"),
        (["--duration", "0", "ls"], "not a positive number of seconds"),
        (["--duration", "nan", "ls"], "not a positive number of seconds"),
        (["--duration", "inf", "ls"], "not a positive number of seconds"),
        (["--snaplen", "10", "ls"], "--snaplen wants --capture FILE or --dump"),
        (["--dump", "--snaplen", "0", "ls"], "not from 1 byte to 16MiB"),
        (["--dump", "--snaplen", "17MiB", "ls"], "not from 1 byte to 16MiB"),
        (["--dump", "--snaplen", "many", "ls"], "is no size"),
        (["--capture", "%x", "ls"], "has a % that is not"),
        (["--capture", "file", "--replay", "run"], "leave out --capture"),
        (["--dump", "--replay", "run"], "leave out --dump"),
        (["--dump", "--engine", "reference", "ls"], "leave out --engine reference"),
        (["--capture", "file", "--engine", "reference", "ls"], "leave out --engine reference"),
        (["--interval", "-1", "ls"], "not a positive number of seconds"),
        (["--interval", "1s", "ls"], "not a positive number of seconds"),
        (["--max-sockets", "0", "ls"], "not a positive whole number"),
        (["--max-sockets", "1.5", "ls"], "not a positive whole number"),
        (["--format", "xml", "ls"], "'xml' is not one of summary, json, csv"),
        (["--units", "", "ls"], "not one of iec, si, raw"),
        (["--color", "yes", "ls"], "not one of auto, always, never"),
        (["--engine", "fast", "ls"], "not one of native, reference"),
        (["--fast", "on", "ls"], "'on' is not one of auto, off"),
        (["--fast-after", "0", "ls"], "not a positive whole number"),
        (["--fast-after", "2147483648", "ls"], "is more than"),
        (["--only", "/bin/ls", "ls"], "not a file name"),
        (["-o", "%x", "ls"], "has a %"),
        (["-o", "100%", "ls"], "has a %"),
        (["-o", "", "ls"], "is not a file"),
        (["--no-follow", "--seccomp", "on", "ls"], "ENOSYS"),
        (["--demo", "ls"], "--demo and a program (ls) do not go together"),
        (["--wait", ""], "not a program's file name"),
        (["--wait", "/usr/bin/"], "not a program's file name"),
        (["--wait", "nginx", "ls"], "--wait and a program (ls) do not go together"),
        (["--wait", "nginx", "-p", "1"], "--attach and --wait do not go together"),
        (["--connect", "8080", "ls"], "--connect and a program (ls) do not go together"),
        (["--connect", "8080", "--serve-cert", "c"], "--serve-cert wants --serve [HOST:]PORT"),
        (["--log=%x", "ls"], "has a %"),
        (["--log-format", "dmesg", "ls"], "--log-format wants --log"),
        (["--log-format", "xml", "ls"], "not one of text, jsonl, dmesg"),
        (["--trace", "a,,b", "ls"], "has an empty name in it"),
        (["--serve", "http", "ls"], "is not [HOST:]PORT"),
        (["--serve", ":80", "ls"], "is not [HOST:]PORT"),
        (["--serve", "::1:80", "ls"], "wants brackets"),
        (["--serve", "65536", "ls"], "is not [HOST:]PORT"),
        (["--top", "3", "--format", "json", "ls"], "--top wants a summary; in json"),
        (["--sort", "calls", "-o", "x.csv", "ls"], "--sort wants a summary; in csv"),
        (["--sort", "size", "ls"], "--sort: 'size' is not one of sent, received, calls, duration"),
        (["--wait-client", "ls"], "--wait-client wants --serve"),
        (["--serve-cert", "c", "ls"], "--serve-cert wants --serve"),
        (["--serve", "1", "--serve-key", "k", "ls"], "--serve-key wants --serve-cert"),
        (["--serve", "1", "--wait-client", "-p", "1"], "--wait-client wants a program"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error_of_one_line(words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == EXIT_USAGE


def test_help_and_version_need_no_program() -> None:
    assert parse(["--help"]).help
    assert parse(["-h", "--attach", "1", "ls"]).help
    assert parse(["--version"]).version


def test_help_names_every_option_within_80_columns() -> None:
    text = help_text()
    assert max(map(len, text.splitlines())) < 80
    for option in TABLE:
        for flag in option.flags:
            assert flag in text
        for choice in option.choices:
            assert choice in text


def test_what_is_captured_stops() -> None:
    settings = make_settings(parse(["--capture", "file", "--fast-after", "1", "ls"]), ("ls",), told=True)
    assert (settings.content, settings.fast) == (262144, 0)
    assert make_settings(parse(["--dump", "--snaplen", "1kB", "ls"]), ("ls",), told=True).content == 1000
    assert make_settings(parse(["ls"]), ("ls",), told=True).content == 0
