"""In: plain values from a scenario file. Out: `Scenario`, the frozen vocabulary that every other room speaks.

Units after validation: seconds, shares from 0 to 1, visitors and requests per second, whole visitors.
The JSON Schema of a scenario is generated from these models and nothing else. Every model refuses unknown keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.scenario.base import Model as Model
from harness.scenario.campaign import Calendar as Calendar
from harness.scenario.campaign import Campaign as Campaign
from harness.scenario.campaign import EmailBlast as EmailBlast
from harness.scenario.campaign import FlashSale as FlashSale
from harness.scenario.campaign import Measured as Measured
from harness.scenario.campaign import ViralSpike as ViralSpike
from harness.scenario.campaign import Webcast as Webcast
from harness.scenario.units import Duration, Length, Percent, Price


class Check(Model):
    """What an answer must be, beyond a status below 400."""

    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    matches: str | None = None
    status: tuple[int, ...] = ()


class Extract(Model):
    """One variable taken from an answer: `ticket: json $.ticket`, `token: regex name="t" value="(.+?)"`, `header Location`."""

    name: str
    source: Literal["json", "regex", "header"]
    expression: str


class Step(Model):
    """What every step has. `line` is the line of the author's own file, for messages about a failing visitor."""

    line: int = 0
    name: str | None = None

    @property
    def label(self) -> str:
        """A stable, bounded name: templates stay unexpanded. Never contains a variable's value."""
        raise NotImplementedError


class Request(Step):
    """A step that asks the site for something. `url` is a path, or an absolute URL on an allowed host; it may hold {{ templates }}."""

    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    check: Check | None = None
    extract: tuple[Extract, ...] = ()
    timeout: Duration | None = None


class Get(Request):
    kind: Literal["get"] = "get"

    @property
    def label(self) -> str:
        return self.name or f"GET {self.url}"


class Post(Request):
    kind: Literal["post"] = "post"
    form: dict[str, str] | None = None
    json_body: Annotated[object | None, Field(alias="json")] = None

    @property
    def label(self) -> str:
        return self.name or f"POST {self.url}"


class Page(Request):
    """An HTML page and what it needs: styles, scripts, pictures of the same site, six connections at a time like a browser."""

    kind: Literal["page"] = "page"

    @property
    def label(self) -> str:
        return self.name or f"page {self.url}"


class Poll(Model):
    """A request repeated for as long as its `watch` lasts."""

    line: int = 0
    get: str
    every: Duration
    check: Check | None = None
    name: str | None = None

    @property
    def label(self) -> str:
        return self.name or f"GET {self.get}"


class Watch(Request):
    """A viewer of a live playlist (HLS): the playlist is read once a target duration, each new segment is fetched once."""

    kind: Literal["watch"] = "watch"
    duration: Annotated[Length, Field(alias="for")]
    meanwhile: tuple[Poll, ...] = ()

    @property
    def label(self) -> str:
        return self.name or f"watch {self.url}"


class Think(Step):
    kind: Literal["think"] = "think"
    pause: Length

    @property
    def label(self) -> str:
        return self.name or "think"


AnyStep = Annotated[Get | Post | Page | Watch | Think, Field(discriminator="kind")]


class Journey(Model):
    """What one kind of visitor does. `share` is of all visitors; the shares of a scenario add up to 1."""

    line: int = 0
    name: str
    share: Percent
    steps: tuple[AnyStep, ...]


class Target(Model):
    """Where the visitors go. `demo` is the embedded site. A host beyond loopback must be in `allow` and confirmed on the command line."""

    url: str = "demo"
    allow: tuple[str, ...] = ()


class Promise(Model):
    """One line of the agreement between marketing and IT.

    `latency`: at least `share` of responses answered within `limit` seconds (a failed response is never within it).
    `errors`: fewer than `limit` (a share) of responses fail. `text` is the author's own sentence.
    """

    text: str
    line: int = 0
    kind: Literal["latency", "errors"]
    limit: float
    share: Percent = 0.95


class Business(Model):
    """What a visit is worth, for the costs in the report. There is no default money."""

    conversion: Percent
    value: Price


class Scenario(Model):
    """One campaign, its target, its promises and its visitors' journeys."""

    name: str
    campaign: Campaign
    target: Target = Target()
    promises: tuple[Promise, ...]
    business: Business | None = None
    journeys: tuple[Journey, ...]
    file: Path = Path("scenario.yaml")
