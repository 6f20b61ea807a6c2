"""In: the URL that a run names. Out: `Resolved`, a target that is up (the embedded site is started here) and that the safety rules allow.

Raises `safety.Refused` before anything is sent, `TargetProblem` for an address that makes no sense or a name that nobody knows.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.demo.process import Site
from harness.safety import Gate, is_loopback
from harness.scenario.model import Scenario


class TargetProblem(Exception):
    """The target cannot be used as it is written: the message says why and what to write."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """Where visitors go: `url` as the engine needs it, `shown` and `name` as a reader should see it; `hosts` may be hit beside loopback."""

    url: str
    shown: str
    name: str
    hosts: frozenset[str]
    local: bool  # site and visitors share this machine


@contextmanager
def resolve_target(url: str, scenario: Scenario, confirmed: tuple[str, ...], say: Callable[[str], None]) -> Iterator[Resolved]:
    """The target for as long as the context lasts. `demo` starts the embedded site and stops it afterwards."""
    gate = Gate.of(scenario.target.allow, confirmed)
    if url == "demo":
        with Site() as site:
            say(f"The embedded site is up at {site.url}.")
            yield Resolved(url=site.url, shown="demo", name="the embedded demo site", hosts=gate.hosts, local=True)
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TargetProblem(f"{url!r} is not a target: write demo, http://host[:port] or https://host[:port]")
    if parts.username or parts.password:
        raise TargetProblem(
            "a target's URL may not hold a password: put credentials into a header as ${NAME} and set NAME in the environment"
        )
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise TargetProblem(f"{url!r} has no valid port (1 to 65535)") from None
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a name that the network knows"
        raise TargetProblem(f"nobody knows the name {parts.hostname}: {why}") from None
    for entry in found:
        gate.check(parts.hostname, str(entry[4][0]))
    local = all(is_loopback(str(entry[4][0])) for entry in found)
    yield Resolved(url=url.rstrip("/"), shown=url, name=parts.netloc, hosts=gate.hosts, local=local)
