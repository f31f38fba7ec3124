# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as one page for a browser. It loads nothing from anywhere, and stays below 2 MB: the busiest rows come
first, and what is beyond is summed up in one.

What others have chosen (arguments, paths, names) is text, whatever is in it: it is escaped, and by the page's own
policy no script runs but the page's, nor is anything fetched.
"""

from __future__ import annotations

import base64
import hashlib
import os

from ptmon.outputs.html.parts import plain, tag
from ptmon.outputs.html.sections import sections
from ptmon.outputs.report_output import Style
from ptmon.outputs.verdicts import title
from ptmon.report import Report
from ptmon.static import TextIO
from ptmon.version import __version__

TITLE_MOST = 100
"""Letters of the command in the window's title."""


def _read(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


CSS = _read("page.css")
SCRIPT = _read("page.js")
"""Read now: at the end ptmon may be another version."""


def write_report(report: Report, file: TextIO, style: Style) -> None:
    """Writes the page; of ``style`` the units count."""
    policy = f"default-src 'none'; style-src '{_hash(CSS)}'; script-src '{_hash(SCRIPT)}'; base-uri 'none'"
    # What it has no letter for is written as a reference: a terminal's encoding may be any.
    encoded = file.encoding.lower().replace("-", "")
    charset = '<meta charset="utf-8">' if encoded.startswith("utf") else ""
    parts = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n',
        charset,
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        '<meta name="color-scheme" content="light dark">\n',
        tag("title", plain(f"ptmon: {title(report)}", TITLE_MOST)),
        f"<style>{CSS}</style>\n</head>\n<body>\n",
        *sections(report, style.units),
        f"<footer>ptmon {__version__}</footer>\n",
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n",
    )
    for part in parts:
        file.write(part if charset else part.encode("ascii", "xmlcharrefreplace").decode("ascii"))


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
