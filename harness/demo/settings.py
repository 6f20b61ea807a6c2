"""In: the knobs of the embedded site, as values or as words of a command line. Out: `Settings`, with the capacity they amount to.

The default pool answers 200 dynamic requests/s (10 workers × 50 ms), far below what the server itself can carry on part of one core, so
that the pool and nothing else is what breaks; the queue holds two seconds of work, so that answers are late long before they are refused.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

HOST = "127.0.0.1"
Distribution = Literal["exponential", "constant", "lognormal"]


class SettingsError(ValueError):
    """A knob that cannot be turned so; the message names the knob and the remedy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stall:
    """Every `every` seconds the whole pool stands still for `lasts` seconds, as under a long garbage collection."""

    every: float
    lasts: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All seconds and requests/s. The faults (from `collapse` on) are off by default."""

    port: int = 0  # 0: any free one
    workers: int = 10
    service: float = 0.050  # mean seconds of work in a dynamic request
    queue: int = 400  # dynamic requests that may wait; one more is refused with 503
    distribution: Distribution = "exponential"
    variation: float = 1.0  # standard deviation / mean of a lognormal service time
    seed: int = 1
    db: Path | None = None  # None: a temporary one, gone with the site
    collapse: float = 0.0  # a full queue makes work this many times longer on top: throughput falls as load rises
    limit: float | None = None  # dynamic requests/s let through by a token bucket; the rest get 429
    burst: int = 20  # the bucket's size
    error_page: bool = False  # a full queue answers 200 with an error page instead of 503
    mute: bool = False  # dynamic requests are never answered
    stall: Stall | None = None

    def __post_init__(self) -> None:
        checks = (
            (0 <= self.port < 65536, f"--port {self.port}: a port is 0 (any free one) to 65535"),
            (self.workers >= 1, f"--workers {self.workers}: at least 1"),
            (self.service > 0, f"--service {self.service:g}: more than 0 seconds, for instance 40ms"),
            (self.queue >= 0, f"--queue {self.queue}: 0 or more requests"),
            (self.variation > 0, f"--variation {self.variation:g}: more than 0; for no variation take --distribution constant"),
            (self.collapse >= 0, f"--collapse {self.collapse:g}: 0 or more"),
            (self.limit is None or self.limit > 0, f"--limit {self.limit}: more than 0 requests/s"),
            (self.burst >= 1, f"--burst {self.burst}: at least 1"),
            (
                self.stall is None or 0 < self.stall.lasts < self.stall.every,
                "--stall: EVERY:LASTS with 0 < LASTS < EVERY, for instance 20s:2s",
            ),
        )
        for fine, message in checks:
            if not fine:
                raise SettingsError(message)

    @property
    def capacity_per_second(self) -> float:
        """Dynamic requests/s that the site can answer for long: workers / service, less what stalls and the limiter take."""
        if self.mute:
            return 0.0
        pool = self.workers / self.service
        if self.stall:
            pool *= 1 - self.stall.lasts / self.stall.every
        return min(pool, self.limit) if self.limit else pool

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command line that means these settings: `Settings.of(s.arguments) == s`."""
        words = [f"--port={self.port}", f"--workers={self.workers}", f"--service={self.service!r}s", f"--queue={self.queue}"]
        words += [f"--distribution={self.distribution}", f"--variation={self.variation!r}", f"--seed={self.seed}"]
        words += [f"--collapse={self.collapse!r}", f"--burst={self.burst}"]
        words += [f"--db={self.db}"] if self.db else []
        words += [f"--limit={self.limit!r}"] if self.limit else []
        words += ["--error-page"] if self.error_page else []
        words += ["--mute"] if self.mute else []
        words += [f"--stall={self.stall.every!r}s:{self.stall.lasts!r}s"] if self.stall else []
        return tuple(words)

    @classmethod
    def of(cls, words: list[str] | tuple[str, ...], program: str = "surge demo") -> Settings:
        """From the words of a command line. Raises `SettingsError`; `--help` prints and leaves, as usual."""
        return cls(**vars(_parser(program).parse_args(list(words))))

    def sentences(self) -> tuple[str, ...]:
        """What a person should know about the site that is running, a sentence a line."""
        lines = [
            f"{self.workers} workers × {self.service * 1000:g} ms ({self.distribution}): {self.capacity_per_second:,.0f} dynamic "
            "requests/s at most (pages, forms, playlists, feeds; static files and segments cost nothing).",
            f"{self.queue} may wait; beyond that the answer is {'200 with an error page' if self.error_page else '503'}.",
        ]
        if self.collapse:
            lines.append(f"Fault: work takes up to {1 + self.collapse:g} times as long as the queue fills (throughput collapses).")
        if self.limit:
            lines.append(f"Fault: more than {self.limit:g} dynamic requests/s (bursts of {self.burst}) get 429.")
        if self.stall:
            lines.append(f"Fault: every {self.stall.every:g} s everything dynamic stands still for {self.stall.lasts:g} s.")
        if self.mute:
            lines.append("Fault: dynamic requests are accepted and never answered.")
        return tuple(lines)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"{message} (see {self.prog} --help)")


def _duration(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d*)?(?:e-?\d+)?)\s*(ms|s|min)", text.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration; write for example 40ms, 2s or 1min")
    return float(found[1]) * {"ms": 0.001, "s": 1.0, "min": 60.0}[found[2]]


def _stall(text: str) -> Stall:
    every, colon, lasts = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r}: EVERY:LASTS, for instance 20s:2s")
    return Stall(every=_duration(every), lasts=_duration(lasts))


def _parser(program: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=program, description="The embedded campaign site, with a capacity you choose. It listens on this machine only.")
    defaults = Settings()

    def knob(name: str, meaning: str, kind: object, metavar: str) -> None:
        default = getattr(defaults, name.replace("-", "_"))
        shown = "" if default is None else " (default %(default)s)"
        parser.add_argument(f"--{name}", type=kind, default=default, metavar=metavar, help=meaning + shown)  # type: ignore[arg-type]

    knob("port", "where to listen; 0 takes any free port", int, "P")
    knob("workers", "dynamic requests worked on at the same time", int, "N")
    knob("service", "mean work in a dynamic request, as 40ms", _duration, "TIME")
    knob("queue", "dynamic requests that may wait; beyond that 503", int, "N")
    parser.add_argument(
        "--distribution", choices=("exponential", "constant", "lognormal"), default=defaults.distribution, help="of the service time"
    )
    knob("variation", "standard deviation / mean of a lognormal service time", float, "CV")
    knob("seed", "of the service times", int, "N")
    knob("db", "SQLite file for sign-ups, orders, joins and shares; default: a temporary one", Path, "FILE")
    knob("collapse", "fault: work takes up to 1+X times as long as the queue fills", float, "X")
    knob("limit", "fault: dynamic requests/s let through; the rest get 429", float, "R")
    knob("burst", "size of the limiter's bucket", int, "N")
    parser.add_argument("--error-page", action="store_true", help="fault: a full queue answers 200 with an error page")
    parser.add_argument("--mute", action="store_true", help="fault: dynamic requests are never answered")
    knob("stall", "fault: everything dynamic stands still, as 20s:2s", _stall, "EVERY:LASTS")
    return parser
