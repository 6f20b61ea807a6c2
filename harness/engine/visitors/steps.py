"""In: a step of a scenario. Out: its closure: `get`, `post`, `page` and `think` as functions of a visitor. Heads are encoded once, here."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from harness.engine.browser.body import ACCEPTED
from harness.engine.browser.client import REDIRECTS, Client
from harness.engine.visitors.call import Call, compile_headers, compile_place, encode_headers
from harness.engine.visitors.checks import compile_extracts, compile_judge, needs_body
from harness.engine.visitors.page import Shelf, compile_assets, fetch_assets
from harness.engine.visitors.strand import Strand
from harness.engine.visitors.words import compile_words
from harness.scenario.model import Check, Extract, Page, Post, Request, Think

if TYPE_CHECKING:
    from harness.engine.visitors.users import Visitor

TIMEOUT = 30.0  # s, for one step: its redirects and a page's styles, scripts and pictures included
DEFAULTS = {"User-Agent": "Mozilla/5.0 (compatible; Surge load test)", "Accept": "*/*", "Accept-Encoding": ACCEPTED.decode()}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
Go = Callable[["Visitor", Strand], float | None]


def compile_call(
    client: Client,
    base: str,
    url: str,
    *,
    first: int,
    further: int,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    defaults: dict[str, str] | None = None,
    body: Callable[[Visitor], bytes] | None = None,
    check: Check | None = None,
    extract: tuple[Extract, ...] = (),
    timeout: float | None = None,
    read: bool = False,
) -> Call:
    """Everything that can be decided before the first visitor comes. A check that expects a redirect's status keeps it from being
    followed."""
    compiled = compile_headers({**DEFAULTS, **(defaults or {})}, headers or {})
    fixed = [(name, value) for name, value in compiled if isinstance(value, str)]
    stays = check is not None and any(status in REDIRECTS for status in check.status)
    return Call(
        client=client,
        method=method,
        place=compile_place(client, base, url),
        headers=compiled,
        lines=encode_headers(fixed) if len(fixed) == len(compiled) else None,
        own_host=any(name.lower() == "host" for name, _ in compiled),
        body=body,
        read=read or needs_body(check, extract),
        judge=compile_extracts(extract, compile_judge(check)),
        first=first,
        further=-1 if stays else further,
        timeout=timeout or TIMEOUT,
    )


def compile_request(client: Client, base: str, step: Request, *, first: int, further: int) -> Go:
    """`get` and `post`."""
    method, body, defaults = "GET", None, {}
    if isinstance(step, Post):
        method, (body, kind) = "POST", _compile_body(step)
        defaults = {"Content-Type": kind} if kind else {}
    call = compile_call(
        client,
        base,
        step.url,
        first=first,
        further=further,
        method=method,
        headers=step.headers,
        defaults=defaults,
        body=body,
        check=step.check,
        extract=step.extract,
        timeout=step.timeout,
    )

    def go(visitor: Visitor, strand: Strand) -> None:
        planned, visitor.planned = visitor.planned, 0.0
        taken = call.make(visitor, planned=planned).taken
        if taken:
            visitor.variables.update(taken)

    return go


def compile_page(client: Client, base: str, step: Page, *, first: int, assets: int, further: int) -> Go:
    """`page`: the HTML, then what it needs. One timeout for all of it. A scanner reads the HTML alone."""
    call = compile_call(
        client,
        base,
        step.url,
        first=first,
        further=further,
        headers=step.headers,
        defaults=HTML,
        check=step.check,
        extract=step.extract,
        timeout=step.timeout,
        read=True,
    )
    shelf = Shelf(client)
    own = {k: v for k, v in step.headers.items() if "{{" not in v and k.lower() not in ("accept", "host", "content-type")}
    asset = compile_assets(client, {**DEFAULTS, **own}, assets, further, call.timeout)

    def go(visitor: Visitor, strand: Strand) -> None:
        planned, visitor.planned = visitor.planned, 0.0
        deadline = monotonic() + call.timeout
        answer = call.make(visitor, planned=planned, deadline=deadline)
        if answer.taken:
            visitor.variables.update(answer.taken)
        if not visitor.scanner:
            fetch_assets(visitor, strand, answer, shelf.targets(answer), asset, deadline)

    return go


def compile_think(step: Think, number: int) -> Go:
    """`think`: a pause of a length drawn for this visitor; of what is left of one for a visitor who was placed in it. Scouts and scanners
    hurry."""
    spread = step.pause

    def go(visitor: Visitor, strand: Strand) -> float | None:
        if visitor.until:
            visitor.crew.leave(visitor, number)
            visitor.planned, visitor.until = visitor.until, 0.0
            return None
        if visitor.scanner:
            return None
        visitor.crew.enter(visitor, number)
        if visitor.scout:
            return None
        length = spread.residual(visitor.dice) if visitor.placed_at == number else spread.draw(visitor.dice.random())
        visitor.until = monotonic() + length
        return visitor.until

    return go


def _compile_body(step: Post) -> tuple[Callable[[Visitor], bytes], str]:
    """What a POST sends, and its content type ("" for none)."""
    if step.form is not None:
        fields = [(quote_plus(name), compile_words(value)) for name, value in step.form.items()]

        def form(visitor: Visitor) -> bytes:
            return "&".join(f"{name}={quote_plus(v if isinstance(v, str) else v(visitor))}" for name, v in fields).encode("ascii")

        return form, "application/x-www-form-urlencoded"
    if step.json_body is not None:
        tree = _compile_tree(step.json_body)
        return lambda visitor: json.dumps(tree(visitor), ensure_ascii=False, separators=(",", ":")).encode(), "application/json"
    return lambda visitor: b"", ""


def _compile_tree(value: Any) -> Callable[[Visitor], Any]:
    """A JSON value whose texts may hold variables."""
    if isinstance(value, str):
        words = compile_words(value)
        return (lambda visitor: words) if isinstance(words, str) else words
    if isinstance(value, dict):
        pairs = [(name, _compile_tree(inner)) for name, inner in value.items()]
        return lambda visitor: {name: inner(visitor) for name, inner in pairs}
    if isinstance(value, list | tuple):
        items = [_compile_tree(inner) for inner in value]
        return lambda visitor: [inner(visitor) for inner in items]
    return lambda visitor: value
