"""In: SIGINT and SIGTERM. Out: a flag while the run can still land gently, KeyboardInterrupt where it cannot.

Ctrl-C once: arrivals stop, visitors drain, the report is written and says "stopped early". Twice: leave at once.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType


class Brake:
    """While entered, the first signal only sets `pulled` inside `gently()`; elsewhere, and the second time, it interrupts."""

    def __init__(self) -> None:
        self.pulled = 0
        self._gentle = False
        self._before: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Brake:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._pull)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def gently(self) -> Iterator[None]:
        """Inside, one pull is a request, not an interruption."""
        before, self._gentle = self._gentle, True
        try:
            yield
        finally:
            self._gentle = before

    def _pull(self, number: int, frame: FrameType | None) -> None:
        self.pulled += 1
        if self.pulled > 1 or not self._gentle:
            raise KeyboardInterrupt
