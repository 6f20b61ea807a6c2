"""In: every request that begins and every one that ends on this worker. Out: `Records`, packed for the wire, taken twice a second.

Memory is flat: what was taken is forgotten here, and the distinct error messages that are remembered are bounded for the whole run.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from harness.engine.clock import Clock
from harness.engine.wire import DONE, SENT

DISTINCT = 500  # error messages told apart by one worker in one run; further ones are counted under OTHER
LONGEST = 200  # characters of one message
OTHER = "(other messages)"

_pack_sent = SENT.pack
_pack_done = DONE.pack

Errors = dict[tuple[int, int, str], int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Records:
    """One worker's records since the last take: `sent` and `done` as wire.py packs them, `lags` as float32 seconds,
    errors as (sample, outcome, message) → count."""

    sent: bytes
    done: bytes
    lags: bytes
    errors: Errors


class Recorder:
    """Takes a record in a quarter of a microsecond; never blocks, never grows beyond what one half second brings.

    Moments come in as readings of this machine's monotonic clock and leave as run seconds on the master's.
    """

    __slots__ = ("_clock", "_done", "_errors", "_known", "_lags", "_sent")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent = bytearray()
        self._done = bytearray()
        self._lags = array("f")
        self._errors: Errors = {}
        self._known: set[tuple[int, int, str]] = set()

    def sent(self, at: float, sample: int) -> None:
        """A request begins."""
        self._sent += _pack_sent(at + self._clock.shift, sample)

    def done(
        self,
        sent: float,
        wait: float,
        connect: float,
        tls: float,
        first_byte: float,
        total: float,
        size: int,
        sample: int,
        outcome: int,
        flags: int,
    ) -> None:
        """A request has ended; fields as in `wire.DONE_FIELDS`."""
        self._done += _pack_done(
            sent + self._clock.shift, wait, connect, tls, first_byte, total, min(size, 0xFFFFFFFF), sample, outcome, flags
        )

    def error(self, sample: int, outcome: int, message: str) -> None:
        """Why a request failed, without URLs or values of a visitor."""
        key = (sample, int(outcome), message[:LONGEST])
        if key not in self._known:
            if len(self._known) >= DISTINCT:
                key = (sample, int(outcome), OTHER)
            else:
                self._known.add(key)
        self._errors[key] = self._errors.get(key, 0) + 1

    def lag(self, seconds: float) -> None:
        """A visitor has started so many seconds after its due moment."""
        self._lags.append(seconds)

    def take(self) -> Records:
        """All since the last take; the recorder starts afresh."""
        records = Records(sent=bytes(self._sent), done=bytes(self._done), lags=self._lags.tobytes(), errors=self._errors)
        self._sent = bytearray()
        self._done = bytearray()
        self._lags = array("f")
        self._errors = {}
        return records
