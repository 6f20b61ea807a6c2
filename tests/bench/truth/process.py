"""In: a command that prints one line of JSON when it is ready. Out: that process while a `with` block lasts, and what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


@contextmanager
def running(command: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What it said, with "pid". Raises RuntimeError with its words when it ends before it is ready."""
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(command)} ended with {process.wait()} before it was ready")
        yield json.loads(line) | {"pid": process.pid}
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def stub(kind: str, seed: int = 1) -> Any:
    """A server of `kinds` in its own process: `with stub("constant") as told: told["url"], told["capacity"]`."""
    return running([sys.executable, "-m", "tests.bench.truth.servers", kind, f"--seed={seed}", f"--parent={os.getpid()}"])


def stack(name: str, *words: str) -> Any:
    """A server of `stacks` in its own process."""
    return running([sys.executable, "-m", "tests.bench.truth.stacks", name, *words, f"--parent={os.getpid()}"])
