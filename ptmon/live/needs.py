# SPDX-License-Identifier: GPL-2.0-or-later
"""What the view needs that not everybody has installed."""

from __future__ import annotations

from ptmon.errors import PtmonError


def textual_or_error(option: str) -> None:
    """Raises PtmonError where Textual, an extra of ptmon's, is missing."""
    try:
        import textual.app  # noqa: F401
    except ImportError as error:
        raise PtmonError(
            f"{option} needs Textual, which is not there ({error}); pip install 'ptmon[live]', or in ptmon's own folder"
            " pip install '.[live]'"
        ) from None
