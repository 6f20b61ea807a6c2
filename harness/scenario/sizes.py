"""In: a campaign. Out: what is wrong with its numbers: values that make no sense, each with the sensible range, and values at odds."""

from __future__ import annotations

from collections.abc import Iterator

from harness.scenario.base import Model
from harness.scenario.campaign import EmailBlast, ViralSpike, Webcast
from harness.scenario.source import Node
from harness.scenario.spread import duration_text

DAY = 86_400.0
MOST = 5_000_000_000  # there are not more people with a connection
Found = Iterator[tuple[Node, str, str]]

# Lowest and highest value that makes sense, and how a person would say the range. The bounds are wide: they catch slips, not opinions.
RANGES: dict[str, tuple[float, float, str]] = {
    "EmailBlast.list_size": (1, MOST, "a list has at least 1 address"),
    "EmailBlast.sent_over": (1, 30 * DAY, "write a time from 1 s to 30 d; 30 min is usual"),
    "EmailBlast.delivered": (0.01, 1, "95% to 99.5% is usual"),
    "EmailBlast.click_rate": (0.00001, 1, "1% to 5% is usual"),
    "EmailBlast.scanner_share": (0, 0.95, "write a share of all clicks from 0% to 95%; 30% is usual"),
    "EmailBlast.batches": (1, 1e6, "write how many portions the list is sent in"),
    "EmailBlast.throttle": (1 / 3600, 1e7, "write how many mails leave in a time, such as 200,000 an hour"),
    "EmailBlast.open_rate": (0.0001, 1, "15% to 45% is usual"),
    "EmailBlast.click_to_open": (0.0001, 1, "5% to 20% is usual"),
    "EmailBlast.half_of_clicks_within": (1, 30 * DAY, "47 min for an engaged list, 2 h 48 min is typical"),
    "EmailBlast.click_spread": (0.1, 5, "2.4 is usual"),
    "EmailBlast.links": (1, 1000, "write how many links the mail holds"),
    "EmailBlast.hits_per_link": (0, 100, "write how often a scanner opens each link; 1 to 3 is usual"),
    "TimeZone.later": (0, DAY, "write how much later this part gets its mail, at most 1 d"),
    "TimeZone.share": (0.0001, 1, "write the share of the list in this part"),
    "Webcast.registrants": (1, MOST, "a webcast has at least 1 registrant"),
    "Webcast.attendance": (0.001, 1, "30% to 60% is usual"),
    "Webcast.walk_ins": (0, MOST, "write how many come without having registered"),
    "Webcast.punctuality": (1, 3600, "write a time from 1 s to 1 h; 90 s is usual"),
    "Webcast.length": (60, DAY, "write a length from 1 min to 1 d"),
    "StreamDrop.lasts": (0, DAY, "write how long the stream is gone"),
    "StreamDrop.share": (0.0001, 1, "write the share of viewers that lose the stream"),
    "ReplayMail.sent_over": (1, 30 * DAY, "write a time from 1 s to 30 d; 30 min is usual"),
    "ViralSpike.seed_visitors": (1, MOST, "a spike starts with at least 1 visitor"),
    "ViralSpike.passed_on": (0, 20, "write how many further visitors each visitor brings; 0.3 is usual, 0.8 is viral"),
    "ViralSpike.seen_over": (1, 7 * DAY, "write a time from 1 s to 7 d; 5 min is usual"),
    "ViralSpike.half_life": (1, 30 * DAY, "write a time from 1 s to 30 d"),
    "ViralSpike.doubles_every": (1, 7 * DAY, "write a time from 1 s to 7 d"),
    "Shock.visitors": (1, MOST, "write how many visitors this account brings"),
    "Shock.seen_over": (1, 7 * DAY, "write a time from 1 s to 7 d; 5 min is usual"),
    "FlashSale.invited": (1, MOST, "a sale has at least 1 guest"),
    "FlashSale.turn_out": (0.0001, 1, "5% to 20% is usual"),
    "FlashSale.punctuality": (1, 3600, "write a time from 1 s to 1 h; 30 s is usual"),
    "FlashSale.reaction": (0.1, 600, "write a time from 100 ms to 10 min; 2 s is usual"),
    "FlashSale.stock": (1, MOST, "a sale has at least 1 item; leave stock out when it never sells out"),
    "FlashSale.buy_rate": (0.0001, 1, "write the share of visitors who buy"),
    "FlashSale.length": (60, 30 * DAY, "write a length from 1 min to 30 d"),
    "Measured.scale": (0.0001, 10_000, "1 is last time's traffic, 2 is twice as much"),
    "Everyday.visitors_a_day": (1, MOST, "write how many visitors come on an ordinary day"),
    "Everyday.busiest": (1, 24, "write how far the busiest hour stands above the average hour; 2 is usual"),
    "Business.conversion": (0.000001, 1, "1% to 5% is usual"),
}
_DURATIONS = frozenset(
    ("sent_over", "half_of_clicks_within", "later", "punctuality", "length", "lasts", "seen_over", "half_life", "doubles_every", "reaction")
)


def check(campaign: Model | None, node: Node) -> Found:
    """Every problem of the campaign's numbers, each with the node that it stands at."""
    if campaign is None:
        return
    yield from ranges(campaign, node)
    if isinstance(campaign, EmailBlast):
        yield from _mail(campaign, node)
    elif isinstance(campaign, Webcast) and campaign.stream_drop and campaign.stream_drop.at >= campaign.length:
        remedy = f"write a time before {duration_text(campaign.length)}"
        yield node.at("stream_drop", "at"), "the stream drops after the end of the event", remedy
    elif isinstance(campaign, ViralSpike):
        yield from _spike(campaign, node)


def ranges(part: Model, node: Node) -> Found:
    """Values outside what makes sense, in this block and in the blocks below it."""
    for key in type(part).model_fields:
        value, place = getattr(part, key), node.at(key)
        if isinstance(value, Model):
            yield from ranges(value, place)
        elif isinstance(value, tuple):
            for number, inner in enumerate(value):
                if isinstance(inner, Model):
                    yield from ranges(inner, place.at(number))
        bounds = RANGES.get(f"{type(part).__name__}.{key}")
        if bounds and isinstance(value, int | float) and not bounds[0] <= value <= bounds[1]:
            text = duration_text(value) if key in _DURATIONS else place.text or f"{value:,}"
            yield place, f"{key}: {text} makes no sense", bounds[2]


def _mail(campaign: EmailBlast, node: Node) -> Found:
    share = sum(zone.share for zone in campaign.time_zones)
    if campaign.time_zones and abs(share - 1) > 1e-6:
        yield node.at("time_zones"), f"the shares of the time zones add up to {share * 100:g}%, not 100%", "name every part of the list"
    written = node.value if isinstance(node.value, dict) else {}
    if "click_to_open" in written and "open_rate" not in written:
        yield (
            node.at("click_to_open"),
            "click_to_open needs the share of mails that are opened",
            "write open_rate: 36%, or click_rate alone",
        )
    if "click_rate" in written and "open_rate" in written:
        yield node.at("open_rate"), "both click_rate and open_rate say how many click", "keep click_rate, or open_rate with click_to_open"


def _spike(campaign: ViralSpike, node: Node) -> Found:
    seeds = campaign.seed_visitors + sum(shock.visitors for shock in campaign.shocks)
    if campaign.audience is not None and campaign.audience < seeds:
        what = f"the audience is smaller than the {seeds:,} visitors whom the posts bring"
        yield node.at("audience"), what, "write everybody who could ever come"
    if campaign.passed_on >= 1 and campaign.audience is None:
        remedy = "write audience: 2 million (everybody who could ever come), or passed_on below 1"
        yield node.at("passed_on"), f"passed_on {campaign.passed_on:g}: a post that each visitor passes on once or more never ends", remedy
    written = node.value if isinstance(node.value, dict) else {}
    if "passed_on" in written and "doubles_every" in written:
        yield node.at("doubles_every"), "both passed_on and doubles_every say how fast it grows", "keep the one that you know"
    elif campaign.doubles_every is not None and campaign.audience is None:
        remedy = "write audience: 2 million (everybody who could ever come), or passed_on below 1 instead"
        yield node.at("doubles_every"), "a post that doubles again and again never ends", remedy
