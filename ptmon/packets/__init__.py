# SPDX-License-Identifier: GPL-2.0-or-later
"""What calls have moved as packets, and packets as a file that Wireshark opens; and as people read bytes.

No packet was on a wire: each is made of the bytes that one call has moved, with headers that fit the socket's
addresses, so that who reads packets finds the streams and datagrams in them.
"""
