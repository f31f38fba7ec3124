# SPDX-License-Identifier: GPL-2.0-or-later
"""The rank: which process of an MPI or batch job ptmon was started as."""

from __future__ import annotations

import os

RANKS = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID")
"""Where Open MPI, PMIx, MPICH and Slurm tell it, in the environment."""
DIGITS = 18
"""More are none: it stands in files' names."""


def rank() -> int | None:
    """By the first of RANKS that is set to a number; None: ptmon was started as no part of a job."""
    found = (os.environ.get(name, "") for name in RANKS)
    return next((int(text) for text in found if text.isascii() and text.isdigit() and len(text) <= DIGITS), None)
