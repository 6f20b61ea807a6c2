"""In: orders, and the recorder of a worker. Out: its crew: the scenario compiled to visitors. The seam between the fleet and the client."""

from __future__ import annotations

from collections.abc import Callable

from locust.env import Environment

from harness.engine.mission import Orders
from harness.engine.recorder import Recorder
from harness.engine.visitors.compile import compile_scenario
from harness.engine.visitors.visit import Crew
from harness.safety import Gate
from harness.scenario.catalog import samples


def recruit(environment: Environment) -> Callable[[Orders, Recorder], Crew]:
    """How this worker makes its crew. What it makes raises when the scenario cannot be compiled."""

    def make(orders: Orders, recorder: Recorder) -> Crew:
        gate = Gate(orders.hosts)
        journeys = compile_scenario(orders.scenario, samples(orders.scenario), orders.target, gate)
        crew = Crew(journeys=journeys, record=recorder, seed=orders.seed, environment=environment)
        environment.crew = crew
        return crew

    return make
