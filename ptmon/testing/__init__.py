# SPDX-License-Identifier: GPL-2.0-or-later
"""``pytest --ptmon``: the tests of a project run under ptmon, which tells what each of them sends and receives.

The plugin (``plugin``) has the process executed anew as a program that ptmon traces (``parent``), with the arguments,
the directory and the streams that it had. Where a test begins and ends the plugin makes a call that nothing else makes
(``marks``): so ptmon sees it in its place among the calls of the test's processes, and adds up what is between
(``tally``). What the plugin asks is answered by a pipe.
"""
