"""In: a pipe from the parent. Out: the end of this process when the parent ends, however it ended; and for a worker the master's port.

Two ropes, for one may fail: the kernel's parent-death signal (Linux; sent when the thread that started us dies), and the end of the pipe.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
from collections.abc import Callable

FD = "SURGE_LIFELINE"
PARENT = "SURGE_PARENT"
_PR_SET_PDEATHSIG = 1


class Lifeline:
    """The child's end of the pipe."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def port(self) -> str:
        """Blocks until the parent has written the master's port, which it learns while we import."""
        text = b""
        while not text.endswith(b"\n"):
            select.select([self._fd], [], [])
            piece = os.read(self._fd, 64)
            if not piece:
                os._exit(0)
            text += piece
        return text.decode().strip()

    def watch(self, leave: Callable[[int], None]) -> None:
        """Wait for the end of the pipe, then leave. In a greenlet: `select` is cooperative there."""
        while True:
            select.select([self._fd], [], [])
            if not os.read(self._fd, 64):
                leave(0)


def take() -> Lifeline | None:
    """This process's lifeline; None when it was started by hand. Leaves at once if the parent is gone already."""
    if FD not in os.environ:
        return None
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(os.environ[PARENT]):
        os._exit(0)
    return Lifeline(int(os.environ[FD]))
