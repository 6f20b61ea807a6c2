"""In: a scenario, its hardest moment, the site's knobs. Out: the true breaking point of the embedded site for them, visitors/s at the peak.

Pure maths, no server: `routes` says which requests cost work, the journeys and dwellers say how many of them a visitor makes, and
queueing theory says how many a second the pool answers within the promises. Held by tests against the running site.

    wait      of a busy pool is exponential with rate 2(mu − lambda)/(1 + I), I the squared variation of service (heavy traffic: Kingman
              1962; exact for exponential service); P(busy) by Erlang's C
    answer    = wait + service: P(late) = E[service > X, else P(busy) exp(−rate (X − service))]; about lambda = mu − ln(20)(1 + I)/(2X)
    plateau   a level is held for a minute and not for ever: C = mu − u(1.498/u_s) sigma/√T, reflected Brownian motion (see `_U`)
    refusals  by a full queue: M/M/c/K; by a token bucket: theta/lambda / (1 − exp(−2 theta B/lambda)), theta = lambda − limit

A promise is read per dynamic step: late answers are a share of the answers that can be late. Static files in the same count would
move the result by less than half a per cent.
"""

from __future__ import annotations

import math
import re
from bisect import bisect
from collections.abc import Callable, Mapping
from functools import partial
from statistics import NormalDist
from typing import Protocol
from urllib.parse import urlsplit

from harness.demo import live, routes
from harness.demo.settings import Settings
from harness.scenario.model import Journey, Promise, Scenario, Think, Watch

# u against l(u): the drift, in standard deviations of a minute's work, at which the median share of late answers over the plateau is 5 %.
_L = (5.30, 2.92, 1.87, 1.46, 1.12, 0.905, 0.728, 0.614, 0.526, 0.404, 0.325, 0.232, 0.179, 0.123, 0.075)
_U = (-4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0)
_PARTS = 400  # equally likely service times that stand for the distribution
_TEMPLATE = re.compile(r"\{\{.*?\}\}")


class Moment(Protocol):
    """What is needed of a campaign's hardest moment: rates per second, and who stands inside which pause."""

    @property
    def peak(self) -> float: ...
    @property
    def visitors_per_second(self) -> float: ...
    @property
    def scanners_per_second(self) -> float: ...
    @property
    def dwelling(self) -> Mapping[tuple[int, int], float]: ...


def true_capacity(scenario: Scenario, moment: Moment, settings: Settings | None = None, plateau: float | None = 60.0) -> float:
    """The highest campaign peak, visitors/s, at which every promise holds for `plateau` seconds (None: for ever)."""
    return requests_held(scenario.promises, settings or Settings(), plateau) / dynamic_requests(scenario, moment)


def dynamic_requests(scenario: Scenario, moment: Moment) -> float:
    """Dynamic requests that the site sees for each visitor of the campaign's peak rate (the unit of the dial)."""
    total = moment.scanners_per_second * sum(journey.share * _first(journey) for journey in scenario.journeys)
    for number, journey in enumerate(scenario.journeys):
        flow = journey.share * moment.visitors_per_second
        for at, step in enumerate(journey.steps):
            if isinstance(step, Think | Watch):
                lasts = step.pause if isinstance(step, Think) else step.duration
                inside = moment.dwelling.get((number, at), flow * lasts.mean)
                if isinstance(step, Watch):
                    rates = [(step.url, live.TARGET_DURATION), *((poll.get, poll.every) for poll in step.meanwhile)]
                    total += inside * sum(_work("GET", url) / every for url, every in rates)
                flow = inside / lasts.mean if lasts.mean > 0 else flow
            else:
                total += flow * _work("POST" if step.kind == "post" else "GET", step.url)
    return total / moment.peak


def requests_held(promises: tuple[Promise, ...], settings: Settings, plateau: float | None = 60.0) -> float:
    """Dynamic requests/s at which every one of `promises` still holds. Raises ValueError for faults that have no closed form."""
    if settings.mute or settings.collapse or settings.stall or settings.error_page:
        raise ValueError("no closed form for a site that collapses, stalls, is mute or hides its errors: its capacity has to be measured")
    if settings.limit is not None and settings.burst < 10:
        raise ValueError("no closed form for a bucket of fewer than 10 tokens: the capacity has to be measured")
    mu = settings.workers / settings.service
    variance = {"constant": 0.0, "exponential": 1.0, "lognormal": settings.variation**2}[settings.distribution]
    held = math.inf
    for promise in promises:
        allowed = promise.limit if promise.kind == "errors" else 1 - promise.share
        if promise.kind == "latency":
            held = min(held, _in_time(settings, mu, variance, promise.limit, allowed, plateau))
        else:
            held = min(held, _refusing(partial(_blocked, settings, variance), allowed, 2 * mu))
        if settings.limit is not None:
            held = min(held, _refusing(partial(_limited, settings.limit, settings.burst), allowed, 2 * settings.limit))
    return held


def _first(journey: Journey) -> int:
    """Work of a scanner, which opens the link that the journey begins with."""
    step = next((step for step in journey.steps if not isinstance(step, Think)), None)
    return _work("GET", step.url) if step else 0


def _work(method: str, url: str) -> int:
    """Dynamic requests behind one step, redirects followed."""
    route, _ = routes.find(method, urlsplit(_TEMPLATE.sub("x", url)).path or "/")
    return int(route.dynamic) + (_work("GET", route.redirects_to) if route.redirects_to else 0)


def _in_time(settings: Settings, mu: float, variance: float, limit: float, allowed: float, plateau: float | None) -> float:
    services = _services(settings)
    if sum(service > limit for service in services) / len(services) > allowed:
        return 0.0  # late even when nobody waits

    def late(rate: float) -> float:
        busy, decay = _erlang_c(settings.workers, rate * settings.service), 2 * (mu - rate) / (1 + variance)
        return (
            sum(1.0 if service > limit else busy * math.exp(-decay * (limit - service)) for service in services) / len(services) - allowed
        )

    for_ever = _root(late, 0.0, mu * (1 - 1e-9))
    if plateau is None:
        return for_ever
    sigma = math.sqrt(mu * (1 + variance))
    steady = (mu - for_ever) * math.sqrt(plateau) / sigma
    return mu - _u(1.498 / steady) * sigma / math.sqrt(plateau)


def _services(settings: Settings) -> list[float]:
    parts = [(k + 0.5) / _PARTS for k in range(_PARTS)]
    if settings.distribution == "constant":
        return [settings.service]
    if settings.distribution == "exponential":
        return [-settings.service * math.log1p(-u) for u in parts]
    sigma = math.sqrt(math.log(1 + settings.variation**2))
    return [settings.service * math.exp(sigma * NormalDist().inv_cdf(u) - sigma**2 / 2) for u in parts]


def _erlang_b(workers: int, offered: float) -> float:
    """P(all workers are busy) where nobody may wait, by Erlang's recursion."""
    blocked = 1.0
    for k in range(1, workers + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return blocked


def _erlang_c(workers: int, offered: float) -> float:
    """P(all workers are busy) at `offered` erlangs < workers."""
    blocked = _erlang_b(workers, offered)
    return blocked / (1 - offered / workers * (1 - blocked))


def _blocked(settings: Settings, variance: float, rate: float) -> float:
    """Share that finds the queue full: M/M/c/K exactly; other service moves a queue as one of 2/(1 + I) times its room does."""
    load, room = rate * settings.service / settings.workers, settings.queue * 2 / (1 + variance)
    blocked = _erlang_b(settings.workers, rate * settings.service)
    if abs(load - 1) < 1e-9:
        return blocked / (1 + blocked * room)
    # blocked·load^room / (1 + blocked·(load + load² + … + load^room)), written so that no power can grow beyond all bounds
    if load < 1:
        power = math.pow(load, room)
        return blocked * power / (1 + blocked * load * (1 - power) / (1 - load))
    power = math.pow(load, -room)
    return blocked / (power + blocked * load * (1 - power) / (load - 1))


def _limited(limit: float, burst: int, rate: float) -> float:
    """Share that a token bucket turns away: a diffusion between an empty and a full bucket."""
    drift = rate - limit
    exponent = 2 * drift * burst / rate
    if abs(exponent) < 1e-6:
        return 1 / (2 * burst)
    return drift / rate / -math.expm1(-exponent) if exponent > -500 else 0.0


def _refusing(share: Callable[[float], float], allowed: float, highest: float) -> float:
    """The rate of which a share `allowed` is refused."""
    return _root(lambda rate: share(rate) - allowed, 0.0, highest)


def _u(level: float) -> float:
    """The table, linear in the logarithm of l and held at its ends."""
    x, xs = math.log(level), [math.log(value) for value in reversed(_L)]
    us = _U[::-1]
    k = min(max(bisect(xs, x), 1), len(xs) - 1)
    share = min(max((x - xs[k - 1]) / (xs[k] - xs[k - 1]), 0.0), 1.0)
    return us[k - 1] + share * (us[k] - us[k - 1])


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
