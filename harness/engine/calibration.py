"""In: this machine. Out: `Calibration`: what a visit and a request cost its generator, measured against a null site and remembered.

The parent's side: no gevent here. Two seconds the first time; afterwards it is read from a file that names the machine and the versions.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from harness import __version__
from harness.engine.child import ROOM

SHARE = 0.8  # of what the workers can do: beyond it a generator begins to measure itself
_WITHIN = 30.0  # s


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """Seconds of processor: `visit` for a visitor with its connection, `request` for each of its requests."""

    visit: float
    request: float

    def ceiling(self, *, visits: float, requests: float, workers: int) -> float:
        """How many times this load (visits/s, requests/s) that many workers can bear at 0.8 of a core each; no more workers than cores."""
        cost = self.visit * visits + self.request * requests
        return SHARE * min(workers, os.cpu_count() or 1) / cost if cost > 0 else float("inf")


def calibrate(memory: Path | None = None) -> Calibration | None:
    """What was measured on this machine, from the folder `memory` if it stands there, else measured now and written there.

    None when it cannot be measured: a run is then watched by its own processor share alone.
    """
    name = f"{platform.node()}|{platform.machine()}|{os.cpu_count()}|{platform.python_version()}|{__version__}"
    path = memory / f"generator-{hashlib.sha256(name.encode()).hexdigest()[:16]}.json" if memory else None
    if path is not None:
        try:
            return Calibration(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            pass  # none yet, or one that nobody can read: measured anew
    found = _measure()
    if found is not None and path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps(asdict(found)), encoding="utf-8")
            partial.replace(path)
        except OSError:
            pass  # a folder that cannot be written costs two seconds in the next run, not this one
    return found


def _measure() -> Calibration | None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOM), os.environ.get("PYTHONPATH", "")]))}
    site = subprocess.Popen(
        [sys.executable, "-m", "harness.engine.null_site"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOM, env=environment
    )
    assert site.stdin is not None and site.stdout is not None
    try:
        url = f"http://127.0.0.1:{int(site.stdout.readline())}"
        command = [sys.executable, "-m", "harness.engine.calibrate", url]
        said = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN, cwd=ROOM, env=environment, check=True)
        return Calibration(**json.loads(said.stdout))
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return None
    finally:
        site.stdin.close()
        try:
            site.wait(5.0)
        except subprocess.TimeoutExpired:
            site.kill()
            site.wait()
        site.stdout.close()
