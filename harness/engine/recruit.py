"""In: orders, and the recorder of a worker. Out: its crew: the scenario compiled to visitors. The seam between the fleet and the client."""

from __future__ import annotations

from collections.abc import Callable

from locust.env import Environment

from harness.engine.mission import Orders
from harness.engine.recorder import Recorder
from harness.engine.visit import Crew


def recruit(environment: Environment) -> Callable[[Orders, Recorder], Crew]:
    """How this worker makes its crew."""

    def make(orders: Orders, recorder: Recorder) -> Crew:
        from harness.engine.users import compile_scenario

        raise NotImplementedError(compile_scenario)

    return make
