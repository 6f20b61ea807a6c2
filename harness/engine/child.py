"""In: what a Locust process is to be. Out: `Child`, that process in a group of its own, tied to this one by a lifeline. The parent's side.

A child ends when its lifeline ends, so nothing outlives the parent, not even when the parent is killed with -9. The kernel's death
signal is tied to the *thread* that starts a child: start a fleet in a thread that lives as long as the run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import harness
from harness.engine import lifeline

ROOM = Path(harness.__file__).resolve().parent.parent  # where `harness` can be imported from, and no author's file shadows a module
LOCUSTFILE = Path(__file__).with_name("locustfile.py")


class Child:
    """One running Locust process. Its output goes to the log."""

    def __init__(
        self, options: Sequence[str], *, log: Path, extra: Mapping[str, str], pass_fds: Sequence[int] = (), locustfile: Path = LOCUSTFILE
    ) -> None:
        reader, self._rope = os.pipe()
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("LOCUST_", "SURGE_"))}
        path = os.pathsep.join(filter(None, [str(ROOM), environment.get("PYTHONPATH", "")]))
        environment |= {lifeline.FD: str(reader), lifeline.PARENT: str(os.getpid()), "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **extra}
        try:
            with log.open("ab") as out:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "locust", "-f", str(locustfile), *options],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=ROOM,
                    env=environment,
                    pass_fds=[reader, *pass_fds],
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._rope)
            raise
        finally:
            os.close(reader)

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell_port(self, port: int) -> None:
        """A worker waits for the master's port on its lifeline."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._rope, f"{port}\n".encode())

    def ended(self) -> int | None:
        """Its exit code (negative: the signal that killed it), or None while it lives."""
        return self._process.poll()

    def release(self) -> None:
        """Let go of the lifeline: the child leaves by itself."""
        if self._rope >= 0:
            os.close(self._rope)
            self._rope = -1

    def end(self, patience: float) -> None:
        """Wait so many seconds for it to leave, then kill it with everything it may have started. Idempotent."""
        self.release()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
