# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger: records in, totals out. ``ledger.py`` is the way in.

Nothing is loaded here: whoever shows totals needs ``snapshot.py`` alone.
"""
