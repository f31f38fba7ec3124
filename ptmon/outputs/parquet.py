# SPDX-License-Identifier: GPL-2.0-or-later
"""--log FILE.parquet: the events as a table, a row each, which DuckDB, pandas, Spark and their like read.

The events are written as JSON lines into a file without a name, and DuckDB makes the table of that at the end: so the
program does not wait for it. A run that is killed leaves no table.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from types import TracebackType

from ptmon.errors import PtmonError, UsageError
from ptmon.options import Options
from ptmon.outputs import stderr
from ptmon.outputs.files import STDOUT, check_folder, expand
from ptmon.outputs.formats.surrogates import without_surrogates
from ptmon.outputs.log import LogOutput
from ptmon.outputs.sinks import Part
from ptmon.report import Header, Report
from ptmon.static import Any
from ptmon.text import printable

COLUMNS = {
    "t": "DOUBLE",
    "event": "VARCHAR",
    "pid": "INTEGER",
    "tid": "INTEGER",
    "syscall": "VARCHAR",
    "fd": "INTEGER",
    "socket": "BIGINT",
    "bytes": "BIGINT",
    "peeked": "BIGINT",
    "calls": "BIGINT",
    "errno": "VARCHAR",
    "inode": "BIGINT",
    "family": "VARCHAR",
    "type": "VARCHAR",
    "protocol": "VARCHAR",
    "local": "VARCHAR",
    "peer": "VARCHAR",
    "peer_address": "VARCHAR",
    "peer_port": "INTEGER",
    "scope": "VARCHAR",
    "direction": "VARCHAR",
    "outcome": "VARCHAR",
    "seconds": "DOUBLE",
    "address": "VARCHAR",
    "name": "VARCHAR",
    "source": "VARCHAR",
    "executable": "VARCHAR",
    "argv": "VARCHAR[]",
    "parent": "INTEGER",
    "code": "INTEGER",
    "signal": "INTEGER",
    "rule": "VARCHAR",
    "reason": "VARCHAR",
    "message": "VARCHAR",
}
"""Members of an event (ptmon/event.schema.json), and the types that they have as columns."""
COPY = """
COPY (SELECT * FROM read_json({source}, format = 'newline_delimited', columns = {columns}) WHERE event IS NOT NULL)
TO {target} (FORMAT parquet, COMPRESSION zstd)
"""


def make(options: Options, host: str) -> ParquetOutput:
    """The output that ``options`` ask for. Raises UsageError."""
    if options.log in ("", STDOUT):
        raise UsageError("a parquet table wants a file: --log=FILE.parquet")
    return ParquetOutput(options.log or "", host)


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise PtmonError(f"a parquet table needs DuckDB ({error}): pip install 'ptmon[parquet]'") from None
    return duckdb


class ParquetOutput(LogOutput):
    """A log in a file without a name, of which a table is made at the end."""

    def __init__(self, path: str, host: str) -> None:
        self._lines = tempfile.TemporaryFile(prefix="ptmon-")  # noqa: SIM115
        self._lines_name = f"/proc/self/fd/{self._lines.fileno()}"
        super().__init__(self._lines_name, "jsonl", host)
        self.reopens = False
        self._table = path

    def __enter__(self) -> ParquetOutput:
        _duckdb()  # now: at the end it would be too late to say
        check_folder(self._table, self._host, "the table")
        super().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._lines.close()

    def start(self, header: Header) -> None:
        self._table = expand(self._table, self._host, header.root)
        super().start(header)

    def finish(self, report: Report) -> None:
        super().finish(report)
        try:
            self._copy()
        except Exception as error:  # whatever DuckDB says: the report is to be written all the same
            stderr.say(f"cannot write the table {printable(self._table)}: {printable(str(error).splitlines()[0])}")

    def _put(self, parts: Sequence[Part]) -> None:
        super()._put([without_surrogates(part.encode() if isinstance(part, str) else part) for part in parts])

    def _copy(self) -> None:
        columns = "{" + ", ".join(f"{name}: {_text(kind)}" for name, kind in COLUMNS.items()) + "}"
        with _duckdb().connect() as base:
            base.execute(COPY.format(source=_text(self._lines_name), columns=columns, target=_text(self._table)))


def _text(value: str) -> str:
    """As SQL has it."""
    return "'" + value.replace("'", "''") + "'"
