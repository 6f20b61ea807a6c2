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
BINS_PER_SECOND = 20
PLAYERS = 4_000  # equally spaced draws that stand for all players


def waits(back_off: BackOff, attempts: int, uniforms: Curve) -> Curve:
    """The times of the first `attempts` attempts of many players, s after the drop. `uniforms` is (players, attempts), each in [0, 1)."""
    players = uniforms.shape[0]
    if back_off == "none":
        # A player without back-off asks again a second after each refusal: the pace of its own timer.
        return np.asarray(np.arange(attempts) + uniforms[:, :1])
    if back_off == "patient":
        first = 1.0 + 4.0 * uniforms[:, :1]
        gaps = np.minimum(first * 2.0 ** np.arange(attempts), LONGEST)
        return np.asarray(np.cumsum(gaps, axis=1))
    caps = np.minimum(2.0 ** np.arange(attempts), LONGEST)
    return np.asarray(np.cumsum(uniforms * np.broadcast_to(caps, (players, attempts)), axis=1))


def attempts(back_off: BackOff, lasts: float, seed: int, players: int) -> list[Curve]:
    """Every attempt of `players` players, s after the drop, ending with the one that succeeds. The same seed, the same attempts."""
    most = _most(back_off, lasts)
    drawn = waits(back_off, most, np.random.default_rng(seed).random((players, most)))
    return [times[: int(np.searchsorted(times, lasts)) + 1] for times in drawn]


def storm(back_off: BackOff, lasts: float) -> tuple[Curve, Curve, Curve]:
    """Times (s after the drop), failed attempts/s and successful ones of one player who lost the stream; the latter integrate to 1.

    Players are represented by a fixed low-discrepancy set, so the curve has no randomness.
    """
    most = _most(back_off, lasts)
    # Kronecker's sequence on square roots of primes: evenly filled in every attempt's dimension.
    primes = _primes(most)
    even = np.outer(np.arange(PLAYERS) + 0.5, np.sqrt(primes)) % 1.0
    even[:, 0] = (np.arange(PLAYERS) + 0.5) / PLAYERS
    times = waits(back_off, most, even)
    succeeded = times[np.arange(PLAYERS), (times < lasts).sum(axis=1)]
    width = 1.0 / BINS_PER_SECOND
    edges = np.arange(-width, succeeded.max() + 2 * width, width)
    failed, back = (np.histogram(when, edges)[0] / (PLAYERS * width) for when in (times[times < lasts], succeeded))
    return edges[:-1] + width / 2, failed, back


def _most(back_off: BackOff, lasts: float) -> int:
    """More attempts than any player needs."""
    if back_off == "none":
        return int(lasts) + 2
    if back_off == "patient":
        return int(np.log2(max(lasts, 1.0)) + lasts / LONGEST) + 3
    return int(2.0 * np.log2(max(lasts, 1.0)) + 4.0 * lasts / LONGEST) + 24


def _primes(count: int) -> Curve:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % p for p in found):
            found.append(candidate)
        candidate += 1
    return np.array(found, dtype=float)
