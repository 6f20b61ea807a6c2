"""In: an empty folder. Out: a PostgreSQL server on a socket in it while a `with` block lasts; nothing of it stays.

The binaries are those of the system (Debian: `apt-get install postgresql`); clusters that the system keeps are not touched. PostgreSQL
refuses to run as root: started as root, it runs as the user `postgres`.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "postgres"  # of the system when we are root, and of the database always
_STARTING = 15.0  # s
_SETTINGS = (
    "listen_addresses=",  # the socket alone: no port that could be taken
    "fsync=off",  # what a small pool costs is measured, not this machine's disk
    "max_connections=40",
    "shared_buffers=16MB",
    "log_min_messages=fatal",
)


def binaries() -> Path | None:
    """The folder of the newest installed server's programs."""
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda file: int(file.parts[-3]))
    if there:
        return there[-1].parent
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


@contextmanager
def database(folder: Path) -> Iterator[Path]:
    """The socket's path, once a client can connect. Raises RuntimeError when it does not come up, FileNotFoundError without binaries."""
    programs = binaries()
    if programs is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    home = folder / "postgresql"
    home.mkdir()
    whoever: dict[str, Any] = {"cwd": home, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, "stdin": subprocess.DEVNULL}
    if os.geteuid() == 0:
        folder.chmod(0o755)
        shutil.chown(home, USER, USER)
        whoever |= {"user": USER, "group": USER, "extra_groups": []}
    data, log = home / "data", folder / "postgresql.log"
    options = ("--auth=trust", f"--username={USER}", "--encoding=UTF8", "--no-sync", "--no-instructions")
    made = subprocess.run([str(programs / "initdb"), "-D", str(data), *options], capture_output=True, text=True, **whoever)
    if made.returncode:
        raise RuntimeError(f"initdb as {USER if 'user' in whoever else getpass.getuser()}: {made.stderr.strip()}")
    settings = [word for setting in (*_SETTINGS, f"unix_socket_directories={home}") for word in ("-c", setting)]
    with log.open("wb") as out:
        process = subprocess.Popen([str(programs / "postgres"), "-D", str(data), *settings], stdout=out, stderr=out, **whoever)
    socket = home / ".s.PGSQL.5432"
    try:
        end = time.monotonic() + _STARTING
        while not socket.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL does not start: {log.read_text(errors='replace').strip()}")
            time.sleep(0.05)
        yield socket
    finally:
        process.send_signal(signal.SIGINT)  # "fast": ends the sessions
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()
