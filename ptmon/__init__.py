# SPDX-License-Identifier: GPL-2.0-or-later
"""ptmon tells what a program sends and receives: the public API and nothing else. ``ptmon.api`` says more about it.

>>> import ptmon
>>> program = "import socket; a, b = socket.socketpair(); a.send(b'hello'); b.recv(100)"
>>> report = ptmon.run(["python3", "-c", program])
>>> report.totals.sent
5

>>> with ptmon.attach(4711) as session:  # doctest: +SKIP
...     for event in session:
...         print(event.time, event.kind, event.name, event.bytes, event.peer)
"""

from __future__ import annotations

from ptmon.static import TYPE_CHECKING, Any
from ptmon.version import __version__

if TYPE_CHECKING:
    from ptmon.api import Tracing, attach, launch, run
    from ptmon.engines import EngineSettings
    from ptmon.errors import PtmonError, UsageError
    from ptmon.events import Event
    from ptmon.hooks import Call, Deny, Return, hook
    from ptmon.ledger.snapshot import Snapshot
    from ptmon.report import Report
    from ptmon.session import Session

__all__ = [
    "Call",
    "Deny",
    "EngineSettings",
    "Event",
    "PtmonError",
    "Report",
    "Return",
    "Session",
    "Snapshot",
    "Tracing",
    "UsageError",
    "__version__",
    "attach",
    "hook",
    "launch",
    "run",
]

_HOMES = {
    "Call": "hooks",
    "Deny": "hooks",
    "EngineSettings": "engines",
    "Event": "events",
    "PtmonError": "errors",
    "Report": "report",
    "Return": "hooks",
    "Session": "session",
    "Snapshot": "ledger.snapshot",
    "Tracing": "api",
    "UsageError": "errors",
    "attach": "api",
    "hook": "hooks",
    "launch": "api",
    "run": "api",
}


def __dir__() -> list[str]:
    """All of it, also what is not loaded yet: for ``dir``, ``help`` and completion."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Loads what is asked for, so that ``ptmon --help`` does not load the engine."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"ptmon.{_HOMES[name]}"), name)
