"""In: `Recording`, one visit as a browser saved it. Out: the text of a scenario that repeats it, to be reviewed and given a campaign.

Pages take their styles, scripts and pictures with them; gaps become thinking; a live playlist becomes watching with its polls;
values that the site gave are extracted; names and addresses become those of the visitor; secrets become `${NAME}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from urllib.parse import quote, urljoin, urlsplit

from harness.safety import is_loopback
from harness.scenario import har
from harness.scenario.correlate import Origin, origins
from harness.scenario.har import Exchange, Recording
from harness.scenario.problems import Problem, ScenarioError
from harness.scenario.secrets import sounds_secret
from harness.scenario.spread import duration_text

SHORTEST_PAUSE = 1.0  # s; a shorter gap is the browser at work, not the visitor
_PLAYLIST = re.compile(r"\.m3u8($|\?)")
_SEGMENT = re.compile(r"\.(ts|m4s|mp4|aac|vtt|cmfv|cmfa)($|\?)")
_ODD = re.compile(r"[\s\"<>\\^`{|}]|[^\x00-\x7f]")  # may not stand in an address as they are
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(slots=True)
class Step:
    """One step as it will be written: `key: value`, and the lines below it."""

    kind: str
    value: str
    at: float
    until: float
    number: int = -1
    below: list[str] = field(default_factory=list)


def scenario_text(path: Path) -> str:
    """The scenario of a HAR file. Raises `ScenarioError` for what is no recording of a visit."""
    recording = har.read(path)
    text = written(recording, path.name)
    if "    steps:\n      - " not in text:
        message, remedy = "holds no page and no form, only what pages are made of", "record the visit from its first page on"
        raise ScenarioError([Problem(file=path, line=0, column=0, message=message, remedy=remedy)])
    return text


def written(recording: Recording, source: str) -> str:
    """The text of the scenario; `source` is named in its first lines."""
    exchanges, found = recording.exchanges, origins(recording.exchanges)
    left_out: list[str] = [f"{count} to {host}" for host, count in list(recording.elsewhere.items())[:8]]
    steps = list(_steps(exchanges, found, left_out))
    host = urlsplit(recording.origin).hostname or ""
    lines = [
        "# yaml-language-server: $schema=./scenario.schema.json",
        f"# Imported from {source}: one visit, as it was recorded. Give it your campaign, your promises and the other ways of visiting.",
    ]
    lines += [f"# Left out: {', '.join(left_out)}."] if left_out else []
    lines += [
        f"name: {scalar(recording.title)}",
        "campaign:                    # change this: the numbers are an example",
        "  type: email_blast",
        "  list_size: 100,000",
        "  sent_over: 30 min",
        "target:",
        f"  url: {recording.origin}",
    ]
    if host != "localhost" and not is_loopback(host):
        lines.append(f"  allow: [{host}]")
    lines += [
        "promises:",
        "  - 95% of responses within 800 ms",
        "  - errors below 1%",
        "journeys:",
        "  - name: recorded visit",
        "    share: 100%",
        "    steps:",
    ]
    for step in steps:
        lines.append(f"      - {step.kind}: {step.value if step.kind == 'think' else scalar(step.value)}")
        lines += [f"        {line}" for line in step.below]
    return "\n".join(lines) + "\n"


def _steps(exchanges: tuple[Exchange, ...], found: list[Origin], left_out: list[str]) -> Iterator[Step]:
    """The steps in order, with the pauses between them."""
    busy_until, first = 0.0, True
    hops: set[str] = set()
    watching: Step | None = None
    for number, exchange in enumerate(exchanges):
        end = exchange.at + exchange.seconds
        address = exchange.origin + exchange.path
        hop = address in hops
        hops.discard(address)
        if exchange.redirect:
            hops.add(urljoin(address, exchange.redirect).split("#")[0])
        step = None if hop or (watching and exchange.at <= watching.until) else _step(number, exchange, exchanges, found, left_out)
        if step is None:
            busy_until = max(busy_until, end)
            continue
        pause = exchange.at - busy_until
        if not first and pause >= SHORTEST_PAUSE:
            yield Step("think", f"about {duration_text(_rounded(pause))}", busy_until, exchange.at)
        yield step
        first = False
        watching = step if step.kind == "watch" else watching
        busy_until = max(busy_until, end, step.until)


def _step(number: int, exchange: Exchange, exchanges: tuple[Exchange, ...], found: list[Origin], left_out: list[str]) -> Step | None:
    """What the visitor did with this exchange; None when a page or a player did it by itself."""
    path = _filled(exchange.path, number, found)
    step = Step("get", path, exchange.at, exchange.at + exchange.seconds, number)
    if _PLAYLIST.search(exchange.path):
        _watch(step, exchange, number, exchanges, found)
    elif exchange.method == "POST":
        step.kind = "post"
        step.below += _body(exchange, number, found)
    elif exchange.method != "GET":
        left_out.append(f"{exchange.method} {exchange.path.split('?')[0]}")
        return None
    elif exchange.is_page:
        step.kind = "page"
    elif exchange.is_part:
        return None
    if exchange.status >= 400:
        left_out.append(f"{exchange.method} {exchange.path.split('?')[0]} (answered with {exchange.status})")
        return None
    step.below += _headers(exchange)
    taken = [origin for origin in found if origin.exchange == number]
    if taken:
        step.below += ["extract:", *(f"  {origin.name}: {scalar(origin.expression)}" for origin in taken)]
    return step


def _watch(step: Step, exchange: Exchange, number: int, exchanges: tuple[Exchange, ...], found: list[Origin]) -> None:
    """A player: from its first playlist to its last segment, with what the page asked for again and again meanwhile."""
    rest = exchanges[number:]
    pages = [one.at for one in rest if one.is_page or one.method == "POST"]
    ends = min(pages, default=float("inf"))
    media = [one for one in rest if one.at < ends and (_PLAYLIST.search(one.path) or _SEGMENT.search(one.path))]
    until = max(one.at + one.seconds for one in media)
    step.kind, step.until = "watch", until
    step.below.append(f"for: {duration_text(max(_rounded(until - exchange.at), 30))}")
    polls: dict[str, list[float]] = {}
    for one in rest:
        if one.at <= until and one.method == "GET" and "json" in one.mime:
            polls.setdefault(one.path, []).append(one.at)
    repeated = {path: times for path, times in polls.items() if len(times) >= 3}
    if repeated:
        step.below.append("meanwhile:")
    for path, times in repeated.items():
        gap = median(after - before for before, after in pairwise(times))
        step.below += [f"  - get: {scalar(_filled(path, number + 1, found))}", f"    every: {duration_text(max(_rounded(gap), 1))}"]


def _body(exchange: Exchange, number: int, found: list[Origin]) -> Iterator[str]:
    if exchange.form:
        yield "form:"
        for name, value in dict(exchange.form).items():
            yield f"  {scalar(name)}: {scalar(_value(name, value, number, found))}"
    elif exchange.body is not None:
        yield f"json: {json.dumps(_json(exchange.body, '', number, found), ensure_ascii=False)}"  # JSON is YAML


def _json(body: object, name: str, number: int, found: list[Origin]) -> object:
    if isinstance(body, dict):
        return {key: _json(part, key, number, found) for key, part in body.items()}
    if isinstance(body, list):
        return [_json(part, name, number, found) for part in body]
    if isinstance(body, str):
        return _value(name, body, number, found)
    return next((f"{{{{ {one.name} }}}}" for one in found if one.exchange < number and one.value == str(body)), body)


def _value(name: str, value: str, number: int, found: list[Origin]) -> str:
    """A field as the next visitor would fill it in."""
    for origin in found:
        if origin.exchange < number and origin.value == value:
            return f"{{{{ {origin.name} }}}}"
    if _EMAIL.fullmatch(value):
        return "{{ visitor.email }}"
    if sounds_secret(name) and value:
        return f"${{{_variable(name)}}}"
    if re.fullmatch(r"(full|first|last|user|your)?[-_ ]?name", name, re.IGNORECASE):
        return "{{ visitor.name }}"
    return _plain(value)


def _filled(path: str, number: int, found: list[Origin]) -> str:
    """A path with the values that the site gave put back as variables, and its secrets as references."""
    known = {text: one.name for one in found if one.exchange < number for text in (one.value, quote(one.value, safe=""))}
    parts = [path]
    if known:
        parts = re.split("(" + "|".join(re.escape(text) for text in sorted(known, key=len, reverse=True)) + ")", path)
    path = "".join(f"{{{{ {known[part]} }}}}" if part in known else _ODD.sub(lambda odd: quote(odd[0]), part) for part in parts)

    def secret(found: re.Match[str]) -> str:
        return found[0] if "{{" in found[3] or not sounds_secret(found[2]) else f"{found[1]}{found[2]}=${{{_variable(found[2])}}}"

    return re.sub(r"([?&])([^=&]+)=((?:\{\{.*?\}\}|[^&])*)", secret, path).split("#")[0]


def _headers(exchange: Exchange) -> Iterator[str]:
    """Only what a client would not send by itself: authorisation and the site's own headers, secrets as references."""
    kept = {
        name: value
        for name, value in exchange.headers.items()
        if name == "authorization" or (name.startswith("x-") and value.isprintable())
    }
    if kept:
        yield "headers:"
    for name, value in kept.items():
        scheme, _, rest = value.partition(" ")
        hidden = f"{scheme} ${{{_variable(name)}}}" if rest and name == "authorization" else f"${{{_variable(name)}}}"
        yield f"  {name}: {scalar(hidden if sounds_secret(name) else _plain(value))}"


def _variable(name: str) -> str:
    plain = re.sub(r"\W+", "_", name).strip("_").upper() or "SECRET"
    return f"_{plain}" if plain[0].isdigit() else plain


def _plain(value: str) -> str:
    """Recorded text that must not be taken for a variable of ours."""
    return value.replace("{{", "{ {").replace("}}", "} }").replace("${", "$ {")


def _rounded(seconds: float) -> float:
    """A duration as a person would say it: to the second, then 5 s, then half a minute."""
    grain = 1 if seconds < 10 else 5 if seconds < 120 else 30
    return float(max(grain, round(seconds / grain) * grain))


def scalar(text: str) -> str:
    """A YAML scalar that is read back as exactly this text."""
    if re.fullmatch(r"[A-Za-z0-9/$][A-Za-z0-9/._~=&?+$-]*( [A-Za-z0-9._$-]+)*", text) and text not in ("null", "true", "false"):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
