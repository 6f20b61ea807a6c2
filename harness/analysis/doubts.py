"""In: everything that a run has shown about itself. Out: `Doubt`s: reasons to believe it less, each with its remedy: a closed list.

A doubt never changes a number; the verdict has its own rules (verdict.py). The loudest come first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.analysis import histogram
from harness.analysis.search.generator import ACHIEVED
from harness.analysis.watch import CPU, DESCRIPTORS, LITTLE, OFFSET
from harness.result import BreakingPoint, Doubt, Generator, Totals
from harness.scenario.catalog import Sample
from harness.scenario.model import Scenario

AGAIN = "Run the surge again"
KINDS: dict[str, tuple[str, str]] = {
    "counting": (
        "The books do not balance: {detail}.",
        "Do not use this run. Run it again; if it happens again, this is a fault of Surge: please report it with run.log.",
    ),
    "stopped_early": ("The run was stopped early: {detail}.", f"{AGAIN} and let it finish."),
    "worker_lost": (
        "{detail} was lost during the run; the others took over its visitors. {requests} of its requests were cut off with it.",
        "See run.log for the reason (memory, a kill, the network) and run again.",
    ),
    "dropped_arrivals": (
        "The generator could not start {share} of the visitors who were due, so the site met less load than it says here.",
        "Add workers (--workers), lend more machines (surge worker), or lower --max-rate.",
    ),
    "generator_lag": (
        "The generator ran late: 1 in 100 visitors started more than {lag} ms after the planned moment (up to {limit} ms is fine).",
        "Add workers or machines, and let nothing else run on them: lateness makes the site look slower than it is.",
    ),
    "generator_failures": (
        "{detail} requests could not be sent for want of descriptors or ports on our own machine. They count for nothing.",
        "Raise the limit of open files (ulimit -n) or add workers.",
    ),
    "generator_busy": (
        "{detail} used {share} of a processor core; above {limit} its own work begins to look like the site's.",
        "Add workers, up to one per core, or lend more machines (surge worker).",
    ),
    "descriptors": ("A worker used {share} of its open files.", "Raise the limit of open files (ulimit -n) before a larger surge."),
    "clock_offset": ("The clock of {detail} was off by {offset} ms; it was corrected.", "Synchronise the machines' clocks (NTP)."),
    "littles_law": (
        "Requests under way and response times disagree by {share} (Little's law), so a clock or a count is wrong somewhere.",
        "Synchronise the machines' clocks and run again.",
    ),
    "scouts": ("Before the surge: {detail}.", "Walk the journey by hand, and correct the scenario or the site."),
    "too_few": (
        "Only {requests} requests were measured: too few to tell slow from unlucky.",
        "Use --profile full, or a campaign whose journeys ask for more.",
    ),
    "thin_step": (
        "“{detail}” was asked for only {requests} times, as at the campaign's hardest moment: the run says little about it.",
        "If many visitors come to it at once at another time, make that moment a campaign of its own.",
    ),
    "wide_interval": (
        "The breaking point is known only to within {share} either way.",
        "Use --profile full: ten times the load time often halves it.",
    ),
    "too_close": (
        "The campaign's peak lies inside the interval of the breaking point: too close to call.",
        "Use --profile full to narrow the interval, or plan with the lower end of it.",
    ),
    "model_vs_evidence": (
        "A load that the estimate calls safe failed, or one that it calls too much was held; the interval was widened to hold both.",
        "Use --profile full, and look for something else that used the site during the run.",
    ),
    "rose": (
        "The site became faster during the run (caches warming up, automatic scaling): a cold site may break earlier.",
        "Warm the site up before the campaign as the run did, or test again from cold.",
    ),
    "fell": (
        "The site became slower during the run (a leak, throttling, a neighbour): later in the campaign it may break earlier.",
        "Use --profile full to see where it settles.",
    ),
    "wavered": (
        "The site became both faster and slower during the run (a neighbour on its machines, tasks in the background, scaling to and fro).",
        "See what else ran on the site's machines, and run again at a quiet time; plan with the lower end of the interval.",
    ),
    "still_rising": (
        "Answers per second were still rising at the highest load, so the upper end is uncertain.",
        "Use --profile full.",
    ),
    "several_paths": (
        "Only some requests were slow while the others were well: a part of the site breaks on its own.",
        "Look at the first step that broke; the rest of the site takes more than this number.",
    ),
    "not_recovered": (
        "The site did not come back to normal within the time watched after the load went away.",
        "Do not rely on it to heal itself on the day: have somebody ready who can restart it.",
    ),
    "no_plateau": (
        "No load was held long enough near the breaking point to confirm it.",
        "Test again, with nothing else running on the machines that play the visitors; --profile full holds the load for longer.",
    ),
    "same_machine": (
        "The site and the visitors shared one machine: the number is this machine's, not your site's.",
        "Point the surge at the real site with TARGET=https://…, from a machine of its own.",
    ),
    "scaled": (
        "The surge went up to {highest} visitors a second, less than the campaign's peak of {peak}.",
        "Raise --max-rate, add workers, or take more time (--profile full).",
    ),
}
"""Kind → (text, remedy). `{…}` are filled in with what was measured."""

ORDER = {kind: k for k, kind in enumerate(KINDS)}
FEW = 300
THIN_SHARE = 0.05  # of the visitors: rarer journeys are rare in any run
WIDE = 0.15  # of the breaking point, to either side


def doubt(kind: str, **values: object) -> Doubt:
    """A doubt of the closed list; KeyError for any other."""
    text, remedy = KINDS[kind]
    return Doubt(kind=kind, text=text.format(**values), remedy=remedy)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signs:
    """What the doubts are judged from. `flags` are the search's own kinds; `limit_ms` is the lateness that a generator may have."""

    point: BreakingPoint
    peak: float
    highest: float  # dial, visitors/s
    generator: Generator
    totals: Totals
    limit_ms: float
    violations: tuple[str, ...]
    flags: tuple[str, ...]
    failures: int
    descriptors: float
    missing: int  # requests that left a worker which was lost before they ended
    stopped_early: str | None
    scout_notes: tuple[str, ...]
    same_machine: bool
    thin: tuple[tuple[str, int], ...] = ()  # steps that hardly anybody reached: (label, requests)


def doubts(signs: Signs) -> list[Doubt]:
    """Every doubt that the run gives cause for, the loudest first, each kind of the search's own at most once."""
    found = [doubt("counting", detail=v) for v in signs.violations]
    if signs.stopped_early:
        found.append(doubt("stopped_early", detail=signs.stopped_early))
    found += [doubt("scouts", detail=note.rstrip(".")) for note in signs.scout_notes]
    if signs.same_machine:
        found.append(doubt("same_machine"))
    found += _of_generator(signs) + _of_estimate(signs)
    if signs.totals.requests >= FEW:
        found += [doubt("thin_step", detail=label, requests=requests) for label, requests in signs.thin]
    seen = {d.kind for d in found}
    found += [doubt(flag) for flag in _told(signs.flags) if flag in KINDS and flag not in seen]
    return sorted(found, key=lambda d: ORDER[d.kind])


def _told(flags: tuple[str, ...]) -> list[str]:
    """Each kind once; faster and slower in one run are one thing to a reader."""
    kinds = list(dict.fromkeys(flags))
    if {"rose", "fell"} <= set(kinds):
        kinds = [kind for kind in kinds if kind not in ("rose", "fell")] + ["wavered"]
    return kinds


def thin(scenario: Scenario, samples: tuple[Sample, ...], outcomes: npt.NDArray[np.int64]) -> tuple[tuple[str, int], ...]:
    """The author's own steps whose requests, over all journeys that have them, are too few for a 95th percentile; (label, requests)."""
    counts: dict[str, int] = {}
    for sample in samples:
        if sample.kind in ("page", "get", "post") and scenario.journeys[sample.journey].share >= THIN_SHARE:
            counts[sample.label] = counts.get(sample.label, 0) + int(outcomes[sample.number].sum())
    return tuple((label, n) for label, n in counts.items() if n < histogram.enough(0.95))


def _of_generator(signs: Signs) -> list[Doubt]:
    generator, found = signs.generator, []
    lost = [w.name for w in generator.workers if w.lost]
    if lost:
        found.append(doubt("worker_lost", detail=" and ".join(lost), requests=f"{signs.missing:,}"))
    if generator.achieved_share is not None and generator.achieved_share < ACHIEVED:
        found.append(doubt("dropped_arrivals", share=f"{1 - generator.achieved_share:.1%}"))
    if generator.lag_p99_ms is not None and generator.lag_p99_ms > signs.limit_ms:
        found.append(doubt("generator_lag", lag=f"{generator.lag_p99_ms:.0f}", limit=f"{signs.limit_ms:.0f}"))
    if signs.failures:
        found.append(doubt("generator_failures", detail=f"{signs.failures:,}"))
    busiest = max(generator.workers, key=lambda w: w.cpu_max, default=None)
    if busiest is not None and busiest.cpu_max > CPU:
        found.append(doubt("generator_busy", detail=busiest.name, share=f"{busiest.cpu_max:.0%}", limit=f"{CPU:.0%}"))
    if signs.descriptors > DESCRIPTORS:
        found.append(doubt("descriptors", share=f"{signs.descriptors:.0%}"))
    off = max(generator.workers, key=lambda w: abs(w.offset_ms), default=None)
    if off is not None and abs(off.offset_ms) > OFFSET:
        found.append(doubt("clock_offset", detail=off.name, offset=f"{off.offset_ms:.0f}"))
    if generator.little_error is not None and generator.little_error > LITTLE:
        found.append(doubt("littles_law", share=f"{generator.little_error:.0%}"))
    return found


def _of_estimate(signs: Signs) -> list[Doubt]:
    point, found = signs.point, []
    if signs.totals.requests < FEW:
        found.append(doubt("too_few", requests=f"{signs.totals.requests:,}"))
    if point.status == "found" and point.low is not None and point.high is not None and point.visitors_per_second:
        half = max(point.high / point.visitors_per_second - 1, 1 - point.low / point.visitors_per_second)
        if half > WIDE:
            found.append(doubt("wide_interval", share=f"{half:.0%}"))
        if point.low < signs.peak <= point.high:
            found.append(doubt("too_close"))
    if point.recovered is False:
        found.append(doubt("not_recovered"))
    if point.status == "not_reached" and signs.highest < signs.peak:
        found.append(doubt("scaled", highest=f"{signs.highest:.3g}", peak=f"{signs.peak:.3g}"))
    return found
