# SPDX-License-Identifier: GPL-2.0-only
"""``python -m ptmon``."""

from __future__ import annotations

import sys

from ptmon.cli import main

sys.exit(main())
