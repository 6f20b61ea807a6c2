"""In: `EmailBlast`. Out: `ArrivalPlan`: a mail's clicks over hours, and the security scanners that open its links within a minute.

Clicks: V = list × delivered × click rate. A click comes a lognormal delay after delivery, F(t); mails go out evenly over D:

    λ(t) = (V/D) · [F(t) − F(t − D)]        peak ≈ V·F(D)/D at t = D, once D is longer than the delay's mode (26 s)

Batches and time zones are the same law, summed over waves of the list: Σ_k λ_k(t − t_k).

Defaults, ranges and sources ([F] read in the source named, [A] an assumption: a knob, not a fact):

    delivered      0.99   0.95–0.995   hard and soft bounces of unlabelled accounts, Mailchimp 2019 [F]
    click_rate     0.029  0.01–0.05    of delivered mails: 2.91 % Mailchimp 2019 [F]
    open_rate      none   0.15–0.45    instead of click_rate: opens (Mailchimp 22.7 % in 2019, 35–36 % in 2025, inflated by programs that
                                       open by themselves [F]) × click_to_open 0.13 (0.05–0.2)
    batches        1      1–200        each within a minute unless a throttle is slower; batches without pauses are even sending.
                                       e-shot and dotdigital let the user spread hours or set contacts an hour, MoEngage batches [F]
    send_times     together            personal: each address at its own best hour of 24, the fullest hour twice the average (1.5–2.5 [A])
    audience       typical: median 2.8 h, σ 2.44, fitted to GetResponse's 5.5 billion mails (33.6 % of clicks within 1 h, 51.4 % within
                   3 h, 81 % within 24 h, Jul 2019–Jun 2020 [F]; an exponential half-life misses these shares by 12 points);
                   engaged: median 47 min, σ 2.4, borrowed from how fast people answer mails (Kooti et al. 2015 [F]; the transfer [A])
    scanner_share  0.3    0.1–0.75     of all clicks: vendors of detection claim 10–30 % (B2B), over 50 % (B2C) and about 75 % (B2B) [F]
    gateways       none   0–0.5        counted instead: mails behind a scanning gateway × links × hits a link (1–3); at one site 1,000
                                       mails of 15 links brought 15,000 page loads in 50 s [F]
    scanner delay  0.8·Exp(mean 15 s) + 0.2·lognormal(median 5 min, σ 1), cut at 30 min [A]; clicks are seen from
                   milliseconds to 30 min after dispatch (Suped), mostly within 60 s (live-direct-marketing) [F]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.campaigns.curve import Rate, lognormal_cdf, tabulate
from harness.campaigns.plan import ArrivalPlan, Curve, Phase
from harness.campaigns.words import percent
from harness.scenario.model import EmailBlast

HOUR, DAY = 3600.0, 86400.0
HORIZON = 90 * DAY  # a click that comes later than this after delivery is no longer this campaign's: 0.3 % of a typical audience
SCANNED_WITHIN = 1800.0
MOST_WAVES = 1000  # of all time zones together; more batches are drawn as fewer and larger ones of the same pace
SEARCHED = 24  # up to so many waves the curve's points are searched for; beyond, laid out by rule
BEST_HOUR = 2.0  # the fullest hour of personal send times against the average hour: 1.5–2.5 [A]
BATCH_TAKES = 60.0  # s that a batch needs to leave, unless a throttle says otherwise


@dataclass(frozen=True, kw_only=True, slots=True)
class Delay:
    """From delivery to click: lognormal, given that the click comes within `HORIZON`."""

    median: float  # s
    sigma: float

    def within(self, t: Curve) -> Curve:
        """The share of clicks that have come `t` seconds after delivery."""
        return np.asarray(np.minimum(lognormal_cdf(t, median=self.median, sigma=self.sigma) / self._whole, 1.0))

    def flow(self, since: Curve, spread: float) -> Curve:
        """Clicks/s of a wave of one mail's worth of clicks, `since` seconds after its first mail: [F(since) − F(since − spread)] / spread.

        Long after a short wave that difference is the density at the wave's middle (relative error below (spread/since)²): no erfc needed.
        """
        flow = np.zeros_like(since)
        far = (since > 40.0 * spread) & (since < HORIZON)
        near = (since > 0.0) & ~far & (since < HORIZON + spread)
        flow[near] = np.maximum(self.within(since[near]) - self.within(since[near] - spread), 0.0) / spread
        middle = since[far] - spread / 2.0
        z = np.log(middle / self.median) / self.sigma
        flow[far] = np.exp(-0.5 * z * z) / (middle * self.sigma * math.sqrt(2.0 * math.pi) * self._whole)
        return flow

    @property
    def _whole(self) -> float:
        return float(lognormal_cdf(np.array([HORIZON]), median=self.median, sigma=self.sigma)[0])


DELAYS = {"typical": Delay(median=2.8 * HOUR, sigma=2.44), "engaged": Delay(median=47 * 60.0, sigma=2.4)}


def scanned_within(t: Curve) -> Curve:
    """The share of security scanners that have opened the links `t` seconds after delivery: all within 30 min."""
    whole = _scanned(np.array([SCANNED_WITHIN]))[0]
    return np.asarray(np.minimum(_scanned(np.minimum(t, SCANNED_WITHIN)) / whole, 1.0))


def scan_flow(since: Curve, spread: float) -> Curve:
    """Hits/s of scanners, `since` seconds after the first mail of a wave that brings one hit in all."""
    flow = np.zeros_like(since)
    some = (since > 0.0) & (since < spread + SCANNED_WITHIN)
    flow[some] = np.maximum(scanned_within(since[some]) - scanned_within(since[some] - spread), 0.0) / spread
    return flow


def _scanned(t: Curve) -> Curve:
    since = np.maximum(np.asarray(t, dtype=float), 0.0)
    return np.asarray(0.8 * -np.expm1(-since / 15.0) + 0.2 * lognormal_cdf(since, median=300.0, sigma=1.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Wave:
    """Mails that go out evenly from `start` for `spread` seconds; `share` of the whole list. The next wave is `apart` seconds later."""

    start: float
    spread: float
    apart: float
    share: float


def even(campaign: EmailBlast) -> bool:
    """Whether mails leave without a pause: in one batch, or in batches that follow each other at once."""
    return all(wave.spread >= wave.apart for wave in waves(campaign))


def waves(campaign: EmailBlast) -> tuple[Wave, ...]:
    """How the list goes out: time zone by time zone, batch by batch. A single batch is spread over the whole sending time.

    Beyond `MOST_WAVES`, neighbouring batches are drawn as one that takes as long as they do together: the same mails a second while
    mails leave, for longer, so the peak is never too low.
    """
    if campaign.send_times == "personal":
        return _personal()
    zones = [(zone.later, zone.share) for zone in campaign.time_zones] or [(0.0, 1.0)]
    found = []
    for later, share in zones:
        size = campaign.list_size * share
        slowest = size / campaign.throttle if campaign.throttle else 0.0
        over = max(campaign.sent_over, slowest, 1.0)
        sending = over if campaign.batches == 1 else min(over, max(slowest, campaign.batches * BATCH_TAKES))  # s without the pauses
        together = math.ceil(campaign.batches / max(MOST_WAVES // len(zones), 1))
        batches = 1 if sending >= over else math.ceil(campaign.batches / together)
        apart, spread = over / batches, sending / batches
        found += [Wave(start=later + k * apart, spread=spread, apart=apart, share=share / batches) for k in range(batches)]
    return tuple(found)


def _personal() -> tuple[Wave, ...]:
    """Everybody's own best hour: 24 hourly waves along a day's wave, the fullest hour `BEST_HOUR` times the average one."""
    weight = 1.0 - (BEST_HOUR - 1.0) * np.cos(2.0 * np.pi * (np.arange(24) + 0.5) / 24.0)
    return tuple(Wave(start=k * HOUR, spread=HOUR, apart=HOUR, share=float(share)) for k, share in enumerate(weight / weight.sum()))


def clicks(campaign: EmailBlast) -> float:
    """Expected visitors of the whole mailing."""
    rate = campaign.click_rate if campaign.open_rate is None else campaign.open_rate * campaign.click_to_open
    return campaign.list_size * campaign.delivered * rate


def scans(campaign: EmailBlast) -> float:
    """Expected hits of security scanners: from their share of all clicks, or counted from the mails behind scanning gateways."""
    if campaign.gateways is not None:
        return campaign.list_size * campaign.delivered * campaign.gateways * campaign.links * campaign.hits_per_link
    return clicks(campaign) * campaign.scanner_share / (1.0 - campaign.scanner_share)


def delay(campaign: EmailBlast) -> Delay:
    """The preset of the audience, with what last time's figures say instead where the scenario holds them."""
    preset = DELAYS[campaign.audience]
    return Delay(median=campaign.half_of_clicks_within or preset.median, sigma=campaign.click_spread or preset.sigma)


def plan(campaign: EmailBlast) -> ArrivalPlan:
    """The plan of one mailing. Plan second 0 is the first mail."""
    sent = waves(campaign)
    law = delay(campaign)

    def spread_out(size: float, flow: Callable[[Curve, float], Curve]) -> Rate:
        return lambda t: np.asarray(size * sum((wave.share * flow(t - wave.start, wave.spread) for wave in sent), np.zeros_like(t)))

    visitors, scanners = spread_out(clicks(campaign), law.flow), spread_out(scans(campaign), scan_flow)
    last = max(wave.start + wave.spread for wave in sent)
    end = last + HORIZON
    if len(sent) <= SEARCHED:
        edges = {edge for wave in sent for edge in (wave.start, wave.start + wave.spread)}
        marks = (0.0, *edges, SCANNED_WITHIN, last + SCANNED_WITHIN, last + DAY, end)
        times = tabulate((visitors, scanners), marks=marks, tolerance=2e-4 if len(sent) == 1 else 1e-3)
    else:
        times = _toothed(sent, last, end)
    people, hits = visitors(times), scanners(times)
    # What the straight lines add or leave out (a thousandth or so) is given back, so that the curve's integral is the audience.
    people *= clicks(campaign) * _landed(sent, law, end) / max(float(np.trapezoid(people, times)), 1e-300)
    hits *= scans(campaign) / max(float(np.trapezoid(hits, times)), 1e-300)
    return ArrivalPlan(
        times=times,
        visitors=people,
        scanners=hits,
        zero=0.0,
        origin=campaign.starts,
        phases=(
            Phase(name="the mail goes out", start=0.0, end=last),
            Phase(name="the first day", start=last, end=last + DAY),
            Phase(name="the long tail", start=last + DAY, end=end),
        ),
        assumptions=_assumptions(campaign, law),
    )


def _toothed(sent: tuple[Wave, ...], last: float, end: float) -> Curve:
    """Times for very many waves, without a search: the same few points along each wave's rise and fall, then a long tail."""
    each = max(14, 3600 // len(sent))
    rise = np.linspace(0.0, 1.0, each // 3 + 1)[1:] ** 1.5
    fall = np.geomspace(0.02, 1.0, each - each // 3)
    teeth: list[float] = []
    for wave in sent:
        done, quiet = wave.start + wave.spread, wave.apart - wave.spread
        # The rate is highest some seconds after a short wave's last mail: the delay's mode is 26 s.
        teeth += [wave.start, *(wave.start + wave.spread * rise), *(done + np.array([4.0, 10.0, 18.0, 30.0])), *(done + quiet * fall)]
    every = np.unique(np.concatenate([teeth, last + np.geomspace(10.0, end - last, 240)]))
    every = every[(every >= 0.0) & (every <= end)]
    return np.asarray(every[np.concatenate([[True], np.diff(every) > 0.01])])


def _landed(sent: tuple[Wave, ...], law: Delay, end: float) -> float:
    """The share of clicks that have come by `end`: 1 but for rounding."""
    middle = np.array([end - wave.start - wave.spread / 2 for wave in sent])
    return float(law.within(middle) @ np.array([wave.share for wave in sent]))


def _assumptions(campaign: EmailBlast, law: Delay) -> tuple[str, ...]:
    if campaign.open_rate is None:
        clicked = f"{percent(campaign.click_rate)} of those are clicked (usual: 95–99.5% and 1–5%; Mailchimp 2019)."
    else:
        clicked = (
            f"{campaign.open_rate:.0%} of those are opened, of which {campaign.click_to_open:.0%} are clicked (usual: 15–45% and 5–20%;"
            " Mailchimp 2019 and 2025, opens inflated by mail programs that open by themselves)."
        )
    measured = campaign.half_of_clicks_within is not None or campaign.click_spread is not None
    typical = "fitted to GetResponse, 5.5 billion mails" if campaign.audience == "typical" else "as fast as replies: Kooti et al. 2015"
    source = "the scenario's own figures" if measured else typical
    if campaign.gateways is not None:
        scanned = (
            f"{campaign.gateways:.0%} of mails stand behind a scanning gateway that follows {campaign.links} links"
            f" {campaign.hits_per_link:g} times each, most within a minute; they are counted apart, never as visitors."
        )
    else:
        scanned = (
            f"Security scanners make {campaign.scanner_share:.0%} of all clicks, most within a minute of delivery"
            " (vendors claim 10–75%); they are counted apart, never as visitors."
        )
    found = [
        f"{percent(campaign.delivered)} of mails are delivered and {clicked}",
        f"Half of the clicks come within {law.median / 60:.0f} min of delivery, lognormal with σ {law.sigma:g} ({source}).",
        scanned,
    ]
    if campaign.send_times == "personal":
        found.append(
            f"Mails leave at everybody's own best hour of the day, {BEST_HOUR:g} times as many in the fullest as on average (assumed)."
        )
    elif campaign.batches > 1 and even(campaign):
        found.append(f"{campaign.batches:,} batches follow each other without a pause: the same as even sending.")
    elif campaign.batches > 1 and not campaign.throttle:
        found.append(f"Each of the {campaign.batches:,} batches leaves within a minute (an assumption; a throttle says otherwise).")
    drawn = len(waves(campaign))
    if campaign.batches > 1 and not even(campaign) and drawn < campaign.batches * max(len(campaign.time_zones), 1):
        found.append(f"So many batches are drawn as {drawn:,} larger ones of the same pace: the peak may be too high, not too low.")
    return tuple(found)
