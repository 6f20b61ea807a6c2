"""In: a host and the address about to be connected to. Out: nothing, or `Refused` before a single packet has left.

The rule: loopback may always be hit. Any other host must be named in the scenario's `target.allow` *and* confirmed on the command
line with `--allow-host HOST`; the check is made again on the address of every new connection, redirects included, so a name that
points elsewhere during the run changes nothing. Link-local addresses (cloud metadata services live there), multicast and
the unspecified address are refused whatever is listed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal


class Refused(Exception):
    """A host or address that the safety rules do not let us hit; the message says which and what would allow it."""


def normal(host: str) -> str:
    """A host as it is compared: lower case, no brackets, no trailing dot, internationalised names in their ASCII form."""
    bare = host.strip().strip("[]").rstrip(".").lower()
    try:
        return bare.encode("idna").decode("ascii") if not bare.isascii() else bare
    except UnicodeError:
        return bare


def is_loopback(address: str) -> bool:
    """True for 127.0.0.0/8 and ::1, also when written as an IPv4-mapped IPv6 address. A name is never loopback: resolve it first."""
    return _kind(address) == "loopback"


@lru_cache(maxsize=4096)
def _kind(address: str) -> Literal["loopback", "never", "other", "none"]:
    """What an address is, whoever asks; "none" when it is no address. Remembered, for it is asked for every new connection."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return "none"
    plain = getattr(ip, "ipv4_mapped", None) or ip
    if plain.is_loopback:
        return "loopback"
    return "never" if plain.is_link_local or plain.is_multicast or plain.is_unspecified else "other"


@dataclass(frozen=True, slots=True)
class Gate:
    """Who may be hit in this run: the hosts that were both listed and confirmed. Loopback needs neither."""

    hosts: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()  # these two only for saying what is missing
    confirmed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, listed: Iterable[str], confirmed: Iterable[str]) -> Gate:
        """Only hosts that stand in both lists are let through."""
        one, other = frozenset(map(normal, listed)), frozenset(map(normal, confirmed))
        return cls(one & other, one, other)

    def check(self, host: str, address: str) -> None:
        """Raise `Refused` unless `address`, reached under the name `host`, may be connected to."""
        kind = _kind(address)
        if kind == "loopback":
            return
        if kind == "none":
            raise Refused(f"{address!r} is not an address")
        if kind == "never":
            raise Refused(f"{host} leads to {address}, which no test may hit (link-local, multicast or unspecified)")
        if normal(host) not in self.hosts:
            missing = [] if normal(host) in self.listed else ["list it in the scenario under target.allow"]
            missing += [] if normal(host) in self.confirmed else [f"confirm it with --allow-host {normal(host)}"]
            where = host if normal(host) == address else f"{host} ({address})"
            raise Refused(f"{where} is not this machine and has not been allowed: {' and '.join(missing)}")
