"""In: a scenario and the catalogue of its samples. Out: one `CompiledJourney` and one Locust user class for each of its journeys.

Everything is closures over values decided here; a step keeps its line of the author's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.engine.browser.client import Client
from harness.engine.visitors.call import Call
from harness.engine.visitors.steps import Go, compile_call, compile_page, compile_request, compile_think
from harness.engine.visitors.users import CompiledJourney, CompiledStep, user_class
from harness.engine.visitors.viewer import Reader, compile_watch
from harness.safety import Gate
from harness.scenario.catalog import Sample
from harness.scenario.model import AnyStep, Page, Request, Scenario, Think, Watch


def compile_scenario(
    scenario: Scenario,
    samples: Sequence[Sample],
    base_url: str,
    gate: Gate,
    *,
    authorities: Path | None = None,
    sources: Sequence[str] = (),
) -> tuple[CompiledJourney, ...]:
    """`samples` as `catalog.samples(scenario)` gives them; `base_url` is the site's, with scheme. `authorities`: a file of further trusted
    certificates; `sources`: local addresses that connections leave from in turn. One client (names, TLS context) serves all journeys.
    """
    client = Client(gate=gate, authorities=authorities, sources=sources)
    found = []
    for number, journey in enumerate(scenario.journeys):
        steps = tuple(
            _compile_step(client, base_url, step, at, [s for s in samples if (s.journey, s.step) == (number, at)])
            for at, step in enumerate(journey.steps)
        )
        user = user_class(journey.name, journey.share, base_url)
        user.journey = CompiledJourney(
            number=number,
            name=journey.name,
            share=journey.share,
            steps=steps,
            dwelling=tuple(at for at, step in enumerate(steps) if step.dwells),
            client=client,
            user=user,
        )
        found.append(user.journey)
    return tuple(found)


def _compile_step(client: Client, base: str, step: AnyStep, number: int, samples: Sequence[Sample]) -> CompiledStep:
    first = samples[0].number if samples else -1
    further = next((s.number for s in samples if s.kind == "redirect"), -1)
    go: Go
    if isinstance(step, Think):
        go = compile_think(step, number)
    elif isinstance(step, Watch):
        go = _compile_watch(client, base, step, number, samples, further)
    elif isinstance(step, Page):
        go = compile_page(client, base, step, first=first, assets=_of(samples, "assets")[0].number, further=further)
    else:
        go = compile_request(client, base, step, first=first, further=further)
    return CompiledStep(line=step.line, label=step.label, dwells=isinstance(step, Think | Watch), sample=first, go=go)


def _compile_watch(client: Client, base: str, step: Watch, number: int, samples: Sequence[Sample], further: int) -> Go:
    def playlist(reader: Reader) -> Call:
        call = compile_call(
            client,
            base,
            step.url,
            first=_of(samples, "playlist")[0].number,
            further=further,
            headers=step.headers,
            check=step.check,
            extract=step.extract,
            timeout=step.timeout,
            read=True,
        )
        return replace(call, judge=reader.judge(call.judge))

    headers = _shared(step)
    segment = compile_call(
        client, base, "/", first=_of(samples, "segment")[0].number, further=further, headers=headers, timeout=step.timeout
    )
    polls = tuple(
        (
            poll,
            compile_call(
                client, base, poll.get, first=sample.number, further=further, headers=headers, check=poll.check, timeout=step.timeout
            ),
        )
        for poll, sample in zip(step.meanwhile, _of(samples, "poll"), strict=True)
    )
    return compile_watch(client, step, number, playlist, segment, polls)


def _shared(step: Request) -> dict[str, str]:
    """The step's headers that its further requests carry too."""
    return {name: value for name, value in step.headers.items() if name.lower() not in ("accept", "content-type", "host")}


def _of(samples: Sequence[Sample], kind: str) -> list[Sample]:
    return [sample for sample in samples if sample.kind == kind]
