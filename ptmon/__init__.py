# SPDX-License-Identifier: GPL-2.0-only
"""ptmon tells what a program sends and receives: the public API and nothing else.

>>> import ptmon
>>> report = ptmon.Session(ptmon.EngineSettings(command=("curl", "-s", "http://127.0.0.1/"))).run()
>>> report.totals.received
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ptmon.version import __version__

if TYPE_CHECKING:
    from ptmon.engines import EngineSettings
    from ptmon.errors import PtmonError
    from ptmon.report import Report
    from ptmon.session import Session

__all__ = ["EngineSettings", "PtmonError", "Report", "Session", "__version__"]

_HOMES = {"EngineSettings": "engines", "PtmonError": "errors", "Report": "report", "Session": "session"}


def __getattr__(name: str) -> Any:
    """Loads what is asked for, so that ``ptmon --help`` does not load the engine."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"ptmon.{_HOMES[name]}"), name)
