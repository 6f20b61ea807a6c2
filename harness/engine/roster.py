"""In: the hellos of workers. Out: `Roster`: who belongs to this run, and what the master knows of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness import __version__


@dataclass(slots=True)
class Hand:
    """One worker as the master knows it."""

    client: str
    shard: int
    pid: int
    host: str
    ready: bool = False
    lost: bool = False
    drained: bool = False
    heard: float = 0.0
    latest: int = -1  # number of its last part
    tally: dict[str, int] = field(default_factory=dict)
    reached: list[int] = field(default_factory=lambda: [0, 0])
    slowest: float = 0.0  # s, half of its best round trip

    @property
    def name(self) -> str:
        return f"worker {self.shard + 1}"


class Roster:
    """`local` workers were started by this run and know its `token`; `lent` ones come from other machines, first come, first served."""

    def __init__(self, *, token: str, local: int, lent: int) -> None:
        self._token = token
        self._local = local
        self._lent = lent
        self._hands: dict[str, Hand] = {}

    @property
    def size(self) -> int:
        """How many workers this run is made for."""
        return self._local + self._lent

    @property
    def hands(self) -> list[Hand]:
        """Everybody who was ever admitted, by shard."""
        return sorted(self._hands.values(), key=lambda hand: hand.shard)

    def known(self, client: str) -> Hand | None:
        """Who has been admitted under this id."""
        return self._hands.get(client)

    def of(self, client: str) -> Hand:
        """The same, for one who must have been."""
        return self._hands[client]

    def admit(self, client: str, hello: Mapping[str, Any]) -> Hand | str:
        """A place for this worker, the same one if it asks again; or, in words, why it has none."""
        if hello.get("version") != __version__:
            return f"it runs Surge {hello.get('version')}, this run needs {__version__}: install the same version on both machines"
        if client in self._hands:
            return self._hands[client]
        lent = hello.get("token") != self._token
        if lent and not self._lent:
            return "it was not started by this run, and this run takes no workers of other machines"
        if lent and sum(hand.shard >= self._local for hand in self._hands.values()) >= self._lent:
            return "it comes too late: the run has all the workers that it waited for"
        taken = {hand.shard for hand in self._hands.values()}
        shard = next(n for n in range(self._local, self.size) if n not in taken) if lent else int(hello["shard"])
        self._hands[client] = Hand(client=client, shard=shard, pid=hello["pid"], host=hello["host"])
        return self._hands[client]
