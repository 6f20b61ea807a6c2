"""In: one journey. Out: what is wrong with its steps: addresses, variables that nobody set, unreadable expressions, absurd times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.safety import is_loopback, normal
from harness.scenario.model import Check, Extract, Get, Page, Post, Request, Step, Target, Think, Watch
from harness.scenario.parts import Visit
from harness.scenario.problems import near
from harness.scenario.source import Node
from harness.scenario.spread import Spread, duration_text
from harness.scenario.templates import NAME, REFERENCE, TEMPLATE, VISITOR, json_path, variables

Found = Iterator[tuple[Node, str, str]]
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = {"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer"}
_ADDRESS = re.compile(r"(https?)://(?:([^/?#@]*)@)?(\[[0-9a-fA-F:.]+\]|[^/?#:@\s]+)(?::(\d{1,5}))?(/[^?#]*)?(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """An absolute address, taken apart."""

    origin: str
    host: str
    user: str
    path: str
    rest: str


def address(text: str) -> Address | None:
    """The parts of an http(s) address, or None when it is none."""
    found = _ADDRESS.fullmatch(text)
    if found is None or (found[4] and not 0 < int(found[4]) < 65536):
        return None
    host = normal(found[3])
    return Address(
        f"{found[1].lower()}://{found[3]}" + (f":{found[4]}" if found[4] else ""), host, found[2] or "", found[5] or "", found[6]
    )


def allowed(host: str, listed: Iterable[str]) -> bool:
    """True for this machine and for hosts that the scenario lists."""
    names = {normal(whole.host if (whole := address(entry)) else entry) for entry in listed}  # an entry with https:// is told apart
    return host == "localhost" or is_loopback(host) or host in names


def host_problem(entry: str) -> str | None:
    """Why an entry of `allow` is not a host."""
    if "*" in entry:
        return f'"{entry}": there are no wildcards, every host is named'
    if "/" in entry or "@" in entry or not entry.strip() or re.search(r"\s", entry) or re.search(r"[^:]:\d+$", entry):
        return f'"{entry}" is not a host'
    return None


def check(visit: Visit, node: Node, target: Target) -> Found:
    """Every problem of the journey's steps, each with the node that it stands at."""
    if visit.steps is not None and all(isinstance(step, Think) for step in visit.steps):
        yield node.at("steps"), f'the journey "{visit.name}" sends no request', "add for example - page: /"
    known = set(VISITOR)
    for number, step in enumerate(visit.steps or ()):
        place = node.at("steps", number)
        yield from _step(step, place, target, known)
        known |= set(visit.extracted[number])


def _step(step: Step | None, place: Node, target: Target, known: set[str]) -> Found:
    if isinstance(step, Think):
        yield from _time(place.at("pause"), "think", step.pause, 3600 * 4)
    if isinstance(step, Get | Post | Page | Watch):
        yield from _url(step.url, place.at("url"), target)
        yield from _texts(step, place, known)
        yield from _headers(step, place)
        yield from _check(step.check, place.at("check"))
        if step.timeout is not None:
            yield from _time(place.at("timeout"), "timeout", Spread.fixed(step.timeout), 600)
        if isinstance(step, Post) and step.form is not None and step.json_body is not None:
            yield place.at("json"), "one request with both form and json", "keep the one that the page sends"
        if isinstance(step, Watch):
            yield from _time(place.at("for"), "for", step.duration, 86_400)
            for which, poll in enumerate(step.meanwhile):
                inner = place.at("meanwhile", which)
                yield from _url(poll.get, inner.at("get"), target)
                yield from _undefined(poll.get, inner.at("get"), known)
                yield from _check(poll.check, inner.at("check"))
                yield from _time(inner.at("every"), "every", Spread.fixed(poll.every), 86_400, 0.1)
        for which, extract in enumerate(step.extract):
            yield from _extract(extract, place.at("extract", which))


def _time(node: Node, what: str, law: Spread, longest: float, shortest: float = 0.0) -> Found:
    if law.high <= 0 or law.high < shortest:
        yield (
            node,
            f"{what}: {law} is too short",
            f"write at least {duration_text(shortest)}" if shortest else "write a time above zero, or leave it out",
        )
    elif law.median > longest:
        yield node, f"{what}: {law} is too long", f"write at most {duration_text(longest)}"


def _url(url: str, node: Node, target: Target) -> Found:
    bare = REFERENCE.sub("x", TEMPLATE.sub("x", url))
    if "{{" in bare or "}}" in bare:
        return  # told as braces that do not match
    if bare.startswith("/") and not bare.startswith("//"):
        if odd := re.search(r"[\s\"<>\\^`{|}]|[^\x00-\x7f]", bare):
            code = "".join(f"%{byte:02X}" for byte in odd[0].encode())
            yield node, f"the address holds {odd[0]!r}, which must be written as {code}", f"write {url.replace(odd[0], code)}"
        if "#" in bare:
            yield node, "the part after # is never sent to a site", f"write {url.split('#')[0]}"
        return
    whole = address(bare)
    if whole is None:
        guess = f"did you mean /{url.lstrip('/')}?" if re.fullmatch(r"/{0,2}[\w./?=&%{} -]+", bare) else "write a path such as /shop"
        yield node, f'"{url}" is neither a path nor an address', guess
        return
    given = re.match(r"https?://[^/?#]*", url)
    if given and (TEMPLATE.search(given[0]) or "${" in given[0]):
        yield node, "the host of an address cannot be a variable", "write the host itself: it must be one that the scenario allows"
    elif whole.user:
        yield node, "the address holds a user name or password", "write a header authorization: Basic ${NAME} instead"
    elif not allowed(whole.host, target.allow):
        yield (
            node,
            f"{whole.host} is not allowed in this scenario",
            f"write allow: [{whole.host}] under target if the site is yours to test",
        )


def _texts(step: Get | Post | Page | Watch, node: Node, known: set[str]) -> Found:
    """Every text of the step that may hold variables."""
    yield from _undefined(step.url, node.at("url"), known)
    for name, value in step.headers.items():
        yield from _undefined(value, node.at("headers", name), known)
    if isinstance(step, Post):
        for name, value in (step.form or {}).items():
            yield from _undefined(value, node.at("form", name), known)
        for text in _strings(step.json_body):
            yield from _undefined(text, node.at("json"), known)
    for text in (*step.check.contains, *step.check.lacks) if step.check else ():
        yield from _undefined(text, node.at("check"), known)


def _strings(body: object) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    for part in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from _strings(part)


def _undefined(text: str, node: Node, known: set[str]) -> Found:
    rest = TEMPLATE.sub("", text)
    if "{{" in rest or "}}" in rest or "{%" in rest:
        yield node, f'"{text}": the braces do not match', "write {{ name }}, with two braces on either side"
    for name in variables(text):
        if name in known:
            continue
        if not NAME.fullmatch(name):
            yield (
                node,
                f'"{{{{ {name} }}}}" is not a variable',
                "between the braces stands one name and nothing else: no filters, no arithmetic",
            )
            continue
        wanted = near(name, known)
        hint = (
            f"did you mean {{{{ {wanted} }}}}?" if wanted else "extract it in an earlier step of this journey, or use " + ", ".join(VISITOR)
        )
        yield node, f'nobody has set the variable "{name}" before this step', hint


def _headers(step: Request, node: Node) -> Found:
    for name, value in step.headers.items():
        place = node.at("headers", name)
        if not _TOKEN.fullmatch(name):
            yield place, f'"{name}" is not the name of a header', "write letters, digits and dashes"
        elif name.lower() in _OURS:
            yield place, f"the header {name} is set by the client itself", "remove it"
        elif not value.isprintable():
            yield place, f"the header {name} holds a line break or control character", "write it on one line"


def _check(check: Check | None, node: Node) -> Found:
    if check is None:
        return
    if not (check.contains or check.lacks or check.status or check.matches is not None):
        yield node, "the check asks for nothing", "write for example check: {contains: Join now}"
    for number, status in enumerate(check.status):
        if not 100 <= status <= 599:
            yield node.at("status", number), f"{status} is not an HTTP status", "write for example 200 or 201"
    for key in ("contains", "lacks"):
        if "" in getattr(check, key):
            yield node.at(key), f"{key}: an empty text is in every answer", "write the words to look for"
    if check.matches is not None:
        yield from _regex(check.matches, node.at("matches"))


def _extract(extract: Extract, node: Node) -> Found:
    expression = node.at("expression")
    if not NAME.fullmatch(extract.name) or "." in extract.name:
        yield node, f'"{extract.name}" cannot be the name of a variable', "write letters, digits and _, such as ticket"
    if extract.source == "regex":
        yield from _regex(extract.expression, expression)
    elif extract.source == "json":
        try:
            json_path(extract.expression)
        except ValueError as error:
            yield expression, f'"{extract.expression}" is not a JSON path', str(error)
    elif not _TOKEN.fullmatch(extract.expression):
        yield expression, f'"{extract.expression}" is not the name of a header', "write for example header Location"


def _regex(pattern: str, node: Node) -> Found:
    try:
        re.compile(pattern)
    except re.error as error:
        where = f" at place {error.pos + 1}" if error.pos is not None else ""
        yield (
            node,
            f'the pattern "{pattern}" cannot be read: {error.msg}{where}',
            "put a backslash before signs that are meant as themselves: \\( \\[ \\?",
        )
