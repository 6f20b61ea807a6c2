"""What workers put on the wire, packed with `struct`: no numpy in a worker, no averaging before the parent has seen it.

SENT  one record for every request that began: when (s, on the master's clock, 0 = the run's start) and its sample number. A connection that
      it needs is made after that.
DONE  one record for every request that ended: see `DONE_FIELDS`. 36 bytes a request; a thousand requests a second are 46 KB/s.

What the target saw is what ended without FLAG_UNSENT: a request whose connection never stood has an outcome, and nobody there knows of it.
"""

from __future__ import annotations

import struct
from enum import IntEnum

BEAT = 0.5  # s: workers report, and a window closes, so often

SENT = struct.Struct("<dH")
DONE = struct.Struct("<dfffffIHBB")
SENT_FIELDS = (("at", "<f8"), ("sample", "<u2"))
DONE_FIELDS = (
    ("sent", "<f8"),  # s, when the first byte was about to leave
    (
        "wait",
        "<f4",
    ),  # s, sent minus the planned moment: the generator's own lateness (and waiting for a browser connection is not lateness)
    ("connect", "<f4"),  # s, 0 on a kept-alive connection
    ("tls", "<f4"),  # s, 0 without TLS or on a kept-alive connection
    ("first_byte", "<f4"),  # s since sent
    ("total", "<f4"),  # s since sent, to the last byte or to the failure
    ("size", "<u4"),  # bytes of body received
    ("sample", "<u2"),
    ("outcome", "u1"),
    ("flags", "u1"),  # FLAG_… bits
)
FLAG_NEW_CONNECTION, FLAG_SCOUT, FLAG_SCANNER = 1, 2, 4
FLAG_UNSENT = 8  # no byte of the request left: its connection (TLS included) never stood


class Outcome(IntEnum):
    """How a request ended: a small closed list, never with a URL in it. Everything but OK and CUT_OFF is a failure of the visitor."""

    OK = 0
    HTTP_4XX = 1
    HTTP_429 = 2
    HTTP_5XX = 3
    CHECK_FAILED = 4
    REFUSED = 5
    RESET = 6
    CONNECT_TIMEOUT = 7
    READ_TIMEOUT = 8
    TLS = 9
    DNS = 10
    PROTOCOL = 11
    GENERATOR = 12  # our own machine: no descriptor, no port; a doubt about us, never a fault of the site
    UNSAFE = 13  # a redirect or address that the safety rules refused; nothing was sent
    CUT_OFF = 14  # the test ended or lowered the load while it was under way: neither ok nor failed
