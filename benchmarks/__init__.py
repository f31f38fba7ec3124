# SPDX-License-Identifier: GPL-2.0-or-later
"""What tracing costs, and who tells the truth: ``python -m benchmarks`` prints one table.

Imports go one way: ``__main__``, then {``bars``, ``plot``, ``options``, ``given``}, {``report``, ``machine``},
``measure``, {``servers``, ``trials``}, {``tools``, ``commands``, ``starting``}, ``jobs``, {``saved``, ``processes``,
``tells``, ``workloads``}, ``results``.
"""
