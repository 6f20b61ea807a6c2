"""In: a host and a port. Out: the addresses to try, in order, cached for a while: `Names`.

One look-up at a time for a name, however many visitors ask for it: a thousand arrivals make one query. A failed look-up is not kept.
"""

from __future__ import annotations

import ipaddress
import socket
from time import monotonic
from typing import Any

import gevent
from gevent.event import AsyncResult

from harness.engine.browser.trouble import Trouble
from harness.engine.wire import Outcome

Address = tuple[int, Any]  # family, socket address

LIFETIME = 60.0  # s; the resolver does not hand on the record's own lifetime


FOREVER = float("inf")


class Names:
    """A cache of look-ups, shared by all visitors of a worker. Literal addresses cost nothing."""

    def __init__(self, lifetime: float = LIFETIME) -> None:
        self._lifetime = lifetime
        self._known: dict[tuple[str, int], tuple[float, tuple[Address, ...]]] = {}
        self._asked: dict[tuple[str, int], AsyncResult] = {}

    def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Addresses in the resolver's order (RFC 6724). Raises `Trouble` DNS when there is none. May wait for the resolver."""
        key = (host, port)
        known = self._known.get(key)
        if known is not None and known[0] > monotonic():
            return known[1]
        literal = _literal(host, port)
        if literal is not None:
            self._known[key] = (FOREVER, literal)
            return literal
        return self._ask(key)

    def _ask(self, key: tuple[str, int]) -> tuple[Address, ...]:
        waiting = self._asked.get(key)
        if waiting is None:
            waiting = self._asked[key] = AsyncResult()
            gevent.spawn(self._look_up, key, waiting)  # in its own greenlet: a visitor that gives up must not fail the others
        found = waiting.get()
        if isinstance(found, Trouble):
            raise Trouble(found.outcome, found.message)
        return tuple(found)

    def _look_up(self, key: tuple[str, int], waiting: AsyncResult) -> None:
        found: tuple[Address, ...] | Trouble
        try:
            rows = gevent.get_hub().resolver.getaddrinfo(key[0], key[1], 0, socket.SOCK_STREAM, socket.IPPROTO_TCP, 0)
            found = tuple(dict.fromkeys((int(family), address) for family, _, _, _, address in rows))
            self._known[key] = (monotonic() + self._lifetime, found)
        except (OSError, UnicodeError) as error:
            found = Trouble(Outcome.DNS, f"name look-up: {getattr(error, 'strerror', None) or error}")
        del self._asked[key]
        waiting.set(found)


def _literal(host: str, port: int) -> tuple[Address, ...] | None:
    """An address that needs no look-up; one with a zone (fe80::1%eth0) does."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    if ip.version == 4:
        return ((int(socket.AF_INET), (host, port)),)
    return None if "%" in host else ((int(socket.AF_INET6), (host, port, 0, 0)),)
