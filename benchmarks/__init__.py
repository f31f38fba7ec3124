# SPDX-License-Identifier: GPL-2.0-only
"""What tracing costs, and who tells the truth: ``python -m benchmarks`` prints one table.

Imports go one way: ``__main__``, then {``report``, ``plot``, ``bars``, ``machine``}, ``measure``, ``jobs``,
{``tools``, ``workloads``}, ``tells``, ``results``.
"""
