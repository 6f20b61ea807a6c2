"""In: how many viewers lose a stream, and how their players try again. Out: the reconnects, as a rate and one by one.

Attempts of one player, in seconds after it may try for the first time ([F] read in the source named, [A] an assumption):

    none     at once, all within one round trip (a player that retries without waiting), spread here over 1 s [A]
    patient  after U(1, 5), then each wait doubles up to 60 s (Triton Digital's player specification [F]): first wave qN/4 per s
    jitter   after U(0, min(60, 1·2^k)) for attempt k: "full jitter" (Brooker, AWS Architecture blog, 2015 [F]): first wave qN per s

While the stream is still away (`lasts`) an attempt fails and the player waits again; the first attempt after that succeeds.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from harness.campaigns.plan import Curve

BackOff = Literal["none", "patient", "jitter"]
LONGEST = 60.0
FINEST, SHARP = 0.05, 20.0  # s: the width of a bin where waves are sharp, and for how long they are
PLAYERS = 4_000  # draws that stand for all players


def waits(back_off: BackOff, attempts: int, uniforms: Curve) -> Curve:
    """The times of the first `attempts` attempts of many players, s after the drop. `uniforms` is (players, attempts), each in [0, 1)."""
    players = uniforms.shape[0]
    if back_off == "none":
        # A player without back-off asks again a second after each refusal: the pace of its own timer.
        return np.asarray(np.arange(attempts) + uniforms[:, :1])
    if back_off == "patient":
        first = 1.0 + 4.0 * uniforms[:, :1]
        gaps = np.minimum(first * np.exp2(np.minimum(np.arange(attempts), 30)), LONGEST)
        return np.asarray(np.cumsum(gaps, axis=1))
    caps = np.minimum(np.exp2(np.minimum(np.arange(attempts), 30)), LONGEST)
    return np.asarray(np.cumsum(uniforms * np.broadcast_to(caps, (players, attempts)), axis=1))


def attempts(back_off: BackOff, lasts: float, seed: int, players: int) -> list[Curve]:
    """Every attempt of `players` players, s after the drop, ending with the one that succeeds. The same seed, the same attempts."""
    most = _most(back_off, lasts)
    drawn = waits(back_off, most, np.random.default_rng(seed).random((players, most)))
    return [times[: int(np.searchsorted(times, lasts)) + 1] for times in drawn]


def storm(back_off: BackOff, lasts: float) -> tuple[Curve, Curve, Curve]:
    """Times (s after the drop), failed attempts/s and successful ones of one player who lost the stream; the latter integrate to 1.

    Players are represented by fixed draws, the first of each evenly spaced, so that the same drop gives the same curve. Time is cut finely
    (1/20 s) after the drop and after the stream is back, where waves are sharp, and coarsely in between.
    """
    most = _most(back_off, lasts)
    players = int(np.clip(4_000_000 // most, 200, PLAYERS))
    drawn = np.random.default_rng(0).random((players, most if back_off == "jitter" else 1))
    drawn[:, 0] = (np.arange(players) + 0.5) / players
    times = waits(back_off, most, drawn)
    succeeded = times[np.arange(players), (times < lasts).sum(axis=1)]
    edges = _bins(lasts, float(succeeded.max()))
    width = np.diff(edges)
    failed, back = (np.histogram(when, edges)[0] / (players * width) for when in (times[times < lasts], succeeded))
    # A step is drawn as two points, so that straight lines keep its area.
    gap = np.minimum(1e-6, width / 4)
    drawn_at = np.column_stack([edges[:-1] + gap, edges[1:] - gap]).ravel()
    return np.asarray(drawn_at, dtype=float), np.repeat(failed, 2), np.repeat(back, 2)


def _bins(lasts: float, last: float) -> Curve:
    """Edges from just before the drop to just after the `last` attempt, fine where waves are sharp."""
    sharp = SHARP if lasts > SHARP else lasts + SHARP
    parts = [FINEST * np.arange(-1.0, sharp / FINEST)]
    if lasts > SHARP:
        between = int(min(200.0, (lasts - sharp) / FINEST)) + 1
        parts += [np.linspace(sharp, lasts, between, endpoint=False), lasts + FINEST * np.arange(0.0, SHARP / FINEST)]
    end = float(parts[-1][-1]) + FINEST
    after = int(min(200.0, max((last - end) / FINEST, 0.0))) + 1
    return np.concatenate([*parts, np.linspace(end, max(last, end) + FINEST, after + 1)])


def _most(back_off: BackOff, lasts: float) -> int:
    """More attempts than any player needs."""
    if back_off == "none":
        return int(lasts) + 2
    if back_off == "patient":
        return int(np.log2(max(lasts, 1.0)) + lasts / LONGEST) + 3
    return int(2.0 * np.log2(max(lasts, 1.0)) + 4.0 * lasts / LONGEST) + 24
