# SPDX-License-Identifier: GPL-2.0-or-later
"""--live and --connect: a view of what is counted, which stays on the terminal.

``model`` says what is to be seen and ``picture`` how it looks, both without a terminal; ``app`` and ``driver`` are
Textual's side; ``streams`` has the program's output meanwhile; ``output`` is what a session knows of it all. The app
has a thread of its own, for the tracer needs the main thread: it asks for views of the ledger, and nobody waits for it.
"""
