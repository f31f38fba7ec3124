# SPDX-License-Identifier: GPL-2.0-only
"""What tracing costs: ``python -m benchmarks`` prints one table."""
