# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run moves, for other engines of monitoring: a process of its own (``python -m ptmon.export``), which ptmon
starts, and to which it writes the run's recording as it comes, through a pipe.

It is a process of its own for two reasons. The libraries that it uses are under the Apache License 2.0, which does not
go with python-ptrace's GPL-2.0-only in one program: nothing here imports that. And a collector that is slow, or down,
holds nobody up: what the pipe does not take at once waits in ptmon, and is dropped and counted when that is too much.
"""
