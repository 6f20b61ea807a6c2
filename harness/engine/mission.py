"""In: what one run is to do. Out: `Mission`, and the sealed bytes in which the master hands it to every worker, on this machine or another.

Workers get values, never code: the seal is a pickle whose reader knows the value classes of the scenario room and refuses everything else.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from harness.scenario.model import Scenario

if TYPE_CHECKING:
    from harness.campaigns.plan import Moment

_PLAIN = {
    ("harness.engine.mission", "Orders"),
    ("builtins", "frozenset"),
    ("builtins", "set"),
    *((module, name) for module in ("pathlib", "pathlib._local") for name in ("Path", "PosixPath", "PurePosixPath")),  # _local: Python 3.13
}


@dataclass(frozen=True, kw_only=True)
class Mission:
    """One run. `hosts` may be hit beside loopback (listed and confirmed). `bind` opens the master to workers of other machines."""

    scenario: Scenario
    scenario_path: Path
    target: str  # base URL
    moment: Moment
    seed: int
    workers: int  # processes on this machine
    hosts: frozenset[str]
    log: Path
    web_port: int | None = None
    bind: tuple[str, int] | None = None
    memory: Path | None = None  # folder in which this machine's calibration is kept; None: no calibration
    lent: int = 0  # workers of other machines to wait for (`surge worker --master HOST:PORT`); needs `bind`


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a worker must know of a mission: the same for every worker.

    `arrivals`, `scanners` and `dwelling` are per unit of the dial (visitors/s at the campaign's peak): arrivals a second, scanners a
    second, and visitors standing inside each (journey, step). So no worker needs the plan, nor numpy.
    """

    scenario: Scenario
    target: str
    seed: int
    hosts: frozenset[str]
    arrivals: float
    scanners: float
    dwelling: dict[tuple[int, int], float]


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith("harness.scenario."):
            found = super().find_class(module, name)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, BaseModel)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a mission")


def seal(mission: Mission) -> bytes:
    """The mission as its workers need it. The campaign, with its dates, and the author's file paths stay at home: who comes when is in the
    moment, and no visitor asks for more."""
    scenario = mission.scenario.model_copy(update={"campaign": None, "file": Path(mission.scenario_path.name)})
    moment = mission.moment
    orders = Orders(
        scenario=scenario,
        target=mission.target,
        seed=mission.seed,
        hosts=mission.hosts,
        arrivals=float(moment.visitors_per_second / moment.peak),
        scanners=float(moment.scanners_per_second / moment.peak),
        dwelling={place: float(n / moment.peak) for place, n in sorted(moment.dwelling.items()) if n > 0},
    )
    return pickle.dumps(orders, protocol=4)


def unseal(data: bytes) -> Orders:
    """Raises `pickle.UnpicklingError` for anything that is not a mission of this version."""
    orders = _Reader(io.BytesIO(data)).load()
    if not isinstance(orders, Orders):
        raise pickle.UnpicklingError("not a mission")
    return orders
