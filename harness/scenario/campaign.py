"""In: plain values of the block `campaign`. Out: one model a type of campaign, in marketing's words.

Formulas, defaults, ranges and their sources stand in harness/campaigns/, in the file of the same name.
Units after validation: seconds, shares from 0 to 1, whole visitors, mails per second.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.scenario.base import Model
from harness.scenario.units import Count, Duration, Factor, Instant, Percent, Rate


class TimeZone(Model):
    """A part of the list that gets its mail `later` than the first part, because its morning is later."""

    later: Duration
    share: Percent


class EmailBlast(Model):
    """A mail to a list.

    `sent_over` is how long the sending takes, evenly or in so many `batches`; `throttle` is the provider's own limit. With `send_times`
    personal every address gets its mail at its own best hour instead, over 24 h.
    `click_rate` is of delivered mails; with `open_rate` it is open_rate × click_to_open instead. `scanner_share` is the security scanners'
    share of all clicks; with `gateways` (mails behind a scanning gateway) their hits are counted from `links` and `hits_per_link`.
    """

    type: Literal["email_blast"] = "email_blast"
    list_size: Count
    sent_over: Duration
    delivered: Percent = 0.99
    click_rate: Percent = 0.029
    audience: Literal["typical", "engaged"] = "typical"
    scanner_share: Percent = 0.3
    batches: Count = 1
    throttle: Rate | None = None
    time_zones: tuple[TimeZone, ...] = ()
    send_times: Literal["together", "personal"] = "together"
    open_rate: Percent | None = None
    click_to_open: Percent = 0.13
    half_of_clicks_within: Duration | None = None
    click_spread: Factor | None = None
    gateways: Percent | None = None
    links: Count = 3
    hits_per_link: Factor = 1.0
    starts: Instant | None = None


class StreamDrop(Model):
    """The stream fails `at` so long after the start, for `lasts`, for a `share` of viewers; their players come back as `back_off` says."""

    at: Duration
    lasts: Duration = 0.0
    share: Percent = 1.0
    back_off: Literal["none", "patient", "jitter"] = "patient"


class ReplayMail(Model):
    """The mail with the recording, sent `after` the end to everybody who registered."""

    after: Duration = 3600.0
    sent_over: Duration = 1800.0
    click_rate: Percent = 0.10


class Webcast(Model):
    """A live event. `call_to_action` is the share of those present at the end who follow its last link."""

    type: Literal["webcast"] = "webcast"
    registrants: Count
    attendance: Percent = 0.40
    walk_ins: Count = 0
    punctuality: Duration = 90.0
    length: Duration = 3600.0
    leave_early: Percent = 0.08
    leave_per_minute: Percent = 0.0015
    call_to_action: Percent = 0.0
    stream_drop: StreamDrop | None = None
    replay_mail: ReplayMail | None = None
    starts: Instant | None = None


class Shock(Model):
    """Somebody with a large following posts it too, `at` so long after the first post."""

    at: Duration
    visitors: Count
    seen_over: Duration = 300.0


class ViralSpike(Model):
    """A post that is passed on. `passed_on` is how many further visitors each visitor brings; `doubles_every` says the same as a pace."""

    type: Literal["viral_spike"] = "viral_spike"
    seed_visitors: Count
    passed_on: Factor = 0.3
    seen_over: Duration = 300.0
    audience: Count | None = None
    shared_as: Literal["post", "video", "contest", "coupon", "hashtag"] = "post"
    half_life: Duration | None = None
    doubles_every: Duration | None = None
    shocks: tuple[Shock, ...] = ()
    starts: Instant | None = None


class FlashSale(Model):
    """A sale that opens at a clock time, with a countdown page before it and a stock that runs out. `starts` is the opening."""

    type: Literal["flash_sale"] = "flash_sale"
    invited: Count
    turn_out: Percent = 0.10
    waiting: Percent = 0.40
    punctuality: Duration = 30.0
    reaction: Duration = 2.0
    stock: Count | None = None
    buy_rate: Percent = 0.10
    length: Duration = 3600.0
    starts: Instant | None = None


class Measured(Model):
    """Last time's visitors, as an analytics tool exports them. `curve` is a CSV beside the scenario; `points` are its rows, once read.

    A row of `points` is (start in s since the first row, end in s, visitors counted between the two).
    """

    type: Literal["measured"] = "measured"
    curve: str
    scale: Factor = 1.0
    points: tuple[tuple[float, float, float], ...] = ()
    starts: Instant | None = None


OneCampaign = Annotated[EmailBlast | Webcast | ViralSpike | FlashSale | Measured, Field(discriminator="type")]


class Everyday(Model):
    """The traffic that is there anyway; `busiest` is how far its best hour stands above its average hour."""

    visitors_a_day: Count
    busiest: Factor = 2.0


class Entry(Model):
    """One line of a calendar: another scenario's campaign, by the scenario's name, and when it starts (its own time when left out)."""

    scenario: str
    starts: Instant | None = None
    campaign: OneCampaign | None = None


class Calendar(Model):
    """Several campaigns on one clock, with everyday traffic under them."""

    type: Literal["calendar"] = "calendar"
    campaigns: tuple[Entry, ...]
    everyday: Everyday | None = None
    starts: Instant | None = None


Campaign = Annotated[EmailBlast | Webcast | ViralSpike | FlashSale | Measured | Calendar, Field(discriminator="type")]

CAMPAIGNS: dict[str, type[Model]] = {
    "email_blast": EmailBlast,
    "webcast": Webcast,
    "viral_spike": ViralSpike,
    "flash_sale": FlashSale,
    "measured": Measured,
    "calendar": Calendar,
}
