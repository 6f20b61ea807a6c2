"""In: the address of a master. Out: this machine's part in its run, and an exit code: `surge worker --master HOST[:PORT]`.

The parent's side of a lent worker: no gevent, no Locust here. The worker is the same process as a local one and learns everything from
the master, the scenario included.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.engine import lifeline
from harness.engine.child import LOCUSTFILE, ROOM

REFUSED = 4
PORT = 5557  # Locust's own; what `surge run` listens on for lent workers unless told otherwise


def address(master: str) -> tuple[str, int]:
    """HOST, HOST:PORT or [IPV6]:PORT. Raises `ValueError` with what to write instead."""
    host, colon, port = master.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = master, str(PORT)
    host = host.strip("[]")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{master!r} is not a master: write HOST or HOST:PORT, for example 192.0.2.7:{PORT}")
    return host, int(port)


def lend(master: str, *, locustfile: Path = LOCUSTFILE) -> int:
    """Work for this master until its run ends. Returns 0 then, 4 when it refuses this machine or cannot be reached, 130 on Ctrl-C.

    What the worker has to say goes to this process's own output. Raises `ValueError` for an address that makes no sense.
    """
    host, port = address(master)
    reader, rope = os.pipe()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LOCUST_", "SURGE_"))}
    path = os.pathsep.join(filter(None, [str(ROOM), environment.get("PYTHONPATH", "")]))
    environment |= {lifeline.FD: str(reader), lifeline.PARENT: str(os.getpid()), "PYTHONPATH": path}
    os.write(rope, f"{port}\n".encode())
    process = subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(locustfile), "--worker", "--master-host", host, "--loglevel", "WARNING"],
        stdin=subprocess.DEVNULL,
        cwd=ROOM,
        env=environment,
        pass_fds=[reader],
        start_new_session=True,
    )
    os.close(reader)
    try:
        return REFUSED if process.wait() else 0
    except KeyboardInterrupt:
        return 130
    finally:
        os.close(rope)
        try:
            process.wait(3.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
