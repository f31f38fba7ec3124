# SPDX-License-Identifier: GPL-2.0-or-later
"""ptmon --hooks no_secrets.py PROGRAM: nobody opens secret.txt. Or does somebody?"""

import time

import ptmon


@ptmon.hook("openat", when="entry")
def look(call):
    name = call.arguments["filename"]
    if name == "secret.txt":
        return ptmon.Deny("EACCES")
    if name == "public.txt":
        time.sleep(1)  # a check that takes its time
    return None
