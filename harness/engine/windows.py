"""In: the master's frame of one half second. Out: `Window`. The parent's side: the one place where packed records become arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.engine.underway import Settled
from harness.engine.window import DONE_TYPE, SENT_TYPE, Census, Window, WorkerHealth
from harness.engine.wire import BEAT


def window_of(frame: Mapping[str, Any], settled: Settled | None = None) -> Window:
    """All workers' parts as one window, records sorted by time. `settled`: the frame's parts with the requests of lost workers."""
    parts: Sequence[Mapping[str, Any]] = frame["parts"] if settled is None else settled.parts
    sent = np.frombuffer(b"".join(p["sent"] for p in parts), dtype=SENT_TYPE)
    done = np.frombuffer(b"".join(p["done"] for p in parts), dtype=DONE_TYPE)
    if settled is not None and len(settled.lost):
        done = np.concatenate([done, settled.lost])
    lags = np.frombuffer(b"".join(p["lags"] for p in parts), dtype="<f4")
    errors: Counter[tuple[int, int, str]] = Counter()
    for part in parts:
        for sample, outcome, message, count in part["errors"]:
            errors[sample, outcome, message] += count
    notes = (*frame["notes"], *(note for p in parts for note in p.get("notes", ())))
    return Window(
        number=frame["number"],
        at=frame["at"],
        seconds=frame["seconds"],
        dial=frame["dial"],
        sent=sent[np.argsort(sent["at"], kind="stable")],
        done=done[np.argsort(done["sent"] + done["total"], kind="stable")],
        lags=lags,
        census=census_of(frame["tallies"]),
        workers=tuple(_health(name, name in frame["living"], parts) for name in frame["names"]),
        errors=dict(errors),
        lost=0 if settled is None else len(settled.lost),
        whole=frame["whole"] and not any(0 <= p["number"] < round(frame["at"] / BEAT) for p in parts),
        notes=tuple(dict.fromkeys(notes)),
    )


def joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> Mapping[str, Any]:
    """Two frames in a row as one. A worker's part that came late is then in the window that it tells of: alone, the first would show a site
    that answers nobody, the second one that answers twice as many."""
    seconds = first["seconds"] + second["seconds"]
    return {
        **second,
        "at": first["at"],
        "seconds": seconds,
        "dial": (first["dial"] * first["seconds"] + second["dial"] * second["seconds"]) / seconds,
        "parts": [*first["parts"], *second["parts"]],
        "notes": [*first["notes"], *second["notes"]],
    }


def census_of(tallies: Sequence[Mapping[str, int]]) -> Census:
    """The sum over all workers. Whoever was present on a worker that is lost has been cut off with it."""
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update({name: tally.get(name, 0) for name in Census.__slots__})
        if tally.get("lost"):
            total["cut_off"] += tally.get("present", 0)
            total["present"] -= tally.get("present", 0)
    return Census(**{name: total[name] for name in Census.__slots__})


def _health(name: str, alive: bool, parts: Sequence[Mapping[str, Any]]) -> WorkerHealth:
    mine = [p for p in parts if p["name"] == name]
    if not mine:
        return WorkerHealth(name=name, alive=alive)
    last = mine[-1]
    return WorkerHealth(
        name=name,
        alive=alive,
        cpu=max(p["cpu"] for p in mine),
        loop_ms=max(p["loop_ms"] for p in mine),
        descriptors=last["descriptors"],
        descriptor_limit=last["descriptor_limit"],
        offset_ms=last["uncertain_ms"],
        rss_mb=last["rss_mb"],
    )
