"""The servers that the benchmarks measure: their models against queueing theory, their sockets against their models."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from random import Random

import psutil
import pytest

from harness.demo.capacity import requests_held
from harness.demo.settings import Settings
from harness.scenario.model import Promise
from tests.bench.truth.capacity import known, shares
from tests.bench.truth.cases import CASES
from tests.bench.truth.kinds import KINDS
from tests.bench.truth.model import Answer, Bucket, constant
from tests.bench.truth.pools import Autoscaler, Retrying
from tests.bench.truth.press import modelled, press
from tests.bench.truth.process import stub
from tests.bench.truth.sharing import Retrograde, Sharing

PROMISES = (
    Promise(text="95% of responses within 500 ms", kind="latency", limit=0.5, share=0.95),
    Promise(text="errors below 1%", kind="errors", limit=0.01),
)


def test_every_kind_that_can_break_has_its_truth_on_file() -> None:
    assert set(known()) == {kind.name for kind in KINDS.values() if kind.status == "found"}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("exponential", Settings(workers=10, service=0.040, queue=400)),
        ("exponential-wide", Settings(workers=30, service=0.060, queue=800)),
        ("constant", Settings(workers=9, service=0.030, queue=400, distribution="constant")),
        ("lognormal", Settings(workers=12, service=0.050, queue=400, distribution="lognormal", variation=1.5)),
        ("bucket-large", Settings(workers=1000, service=0.030, limit=220.0, burst=50)),
        ("connection-cap", Settings(workers=16, service=0.045, queue=8)),
        ("error-page", Settings(workers=8, service=0.035, queue=12)),
    ],
)
def test_the_simulated_truth_is_that_of_the_closed_form(kind: str, settings: Settings) -> None:
    """Two ways to the same number: many simulated minutes, and a formula that has never seen them."""
    assert known()[kind]["capacity"] == pytest.approx(requests_held(PROMISES, settings), rel=0.025)


@pytest.mark.parametrize("workers", KINDS["autoscaler"].sizes)
def test_what_has_grown_or_worn_is_judged_as_it_was_at_the_end(workers: int) -> None:
    grown = known()["autoscaler"][f"with {workers} workers"]
    assert grown == pytest.approx(requests_held(PROMISES, Settings(workers=workers, service=0.040, queue=400)), rel=0.025)
    assert CASES["autoscaler"].worn(195.9, {"requests": 9, "workers": workers}) == grown
    assert CASES["autoscaler"].worn(195.9, {"requests": 9, "workers": 8}) == 195.9
    assert CASES["leak"].worn(200.0, {"requests": 40_000, "workers": 9}) == pytest.approx(200.0 / 1.1)
    assert CASES["nginx-limit"].worn(192.9, {}) == 192.9


@pytest.mark.parametrize("name", sorted(known()))
def test_plateaus_below_the_truth_keep_the_promises_and_those_above_break_them(name: str) -> None:
    """Ten per cent either side leaves no room for luck (thirty where a promise is lost slowly)."""
    kind, truth = KINDS[name], known()[name]["capacity"]
    margin = 0.3 if name in ("slow-share", "slow-step", "bucket-small") else 0.12
    late, failed = shares(kind, truth * (1 - margin), seed=3)
    assert late <= 0.05 and failed <= 0.01
    late, failed = shares(kind, truth * (1 + margin), seed=3)
    assert late > 0.05 or failed > 0.01


@pytest.mark.parametrize("name", ["exponential", "constant", "sharing", "slow-step"])
def test_under_a_saturating_crowd_a_pool_answers_its_arithmetic(name: str) -> None:
    kind = KINDS[name]
    arithmetic = {"exponential": 250.0, "constant": 300.0, "sharing": 1 / 0.0045, "slow-step": 4 * 120.0}[name]
    assert modelled(kind.build(Random(1)), 200, 200.0, kind.steps) == pytest.approx(arithmetic, rel=0.03)


def test_a_retrograde_server_answers_less_to_more() -> None:
    """The scalability law's own peak at a moderate crowd, half of it in a large one."""
    law = {"gamma": 30.0, "alpha": 0.02, "beta": 0.0015}
    peak = Retrograde.peak(**law)
    assert modelled(Retrograde(Random(1), **law), 26, 200.0, 1) == pytest.approx(peak, rel=0.03)
    assert modelled(Retrograde(Random(1), **law), 160, 200.0, 1) < 0.55 * peak


def test_processor_sharing_gives_two_requests_half_the_speed_each() -> None:
    model = Sharing(constant(1.0))
    model.arrive(0.0, "first", 0)
    model.arrive(0.5, "second", 0)
    assert [(moment, job) for moment, job, _ in model.finished(10.0)] == [(1.5, "first"), (2.0, "second")]


def test_a_bucket_turns_away_what_has_no_token() -> None:
    model = Bucket(10.0, 2, constant(0.1))
    for job in range(4):
        model.arrive(0.0, job, 0)
    assert [answer for _, _, answer in model.finished(1.0)] == [Answer.LIMITED, Answer.LIMITED, Answer.OK, Answer.OK]


def test_an_autoscaler_has_its_new_workers_when_they_come_and_not_before() -> None:
    model = Autoscaler(2, constant(1.0), more=2, hold=5, delay=20, most=4)
    done = []
    for tick in range(600):
        done += [moment for moment, _, _ in model.finished(tick / 10)]
        model.arrive(tick / 10, tick, 0)
    per_second = [sum(second <= moment < second + 10 for moment in done) / 10 for second in (10, 40)]
    assert per_second == pytest.approx([2.0, 4.0], abs=0.2)
    assert model.working(60.0) == 4
    model = Autoscaler(2, constant(1.0), more=2, hold=5, delay=20, most=4)
    for tick in range(100):
        model.arrive(tick / 10, tick, 0)
    assert (model.working(10.0), model.working(30.0)) == (2, 4)


def test_a_gateway_that_asks_again_stays_down_under_a_load_that_it_bore_before() -> None:
    """Metastable: 80 % of the capacity is borne at first, and no more after a minute of 150 %."""
    random = Random(4)
    model = Retrying(random, 9, constant(0.04), patience=2.0, tries=3, backoff=1.0)

    def good(begin: float, rate: float) -> float:
        moment, answers = begin, []
        while (moment := moment + random.expovariate(rate)) < begin + 60:
            answers += [answer for _, _, answer in model.finished(moment)]
            model.arrive(moment, None, 0)
        return answers.count(Answer.OK) / len(answers)

    assert good(0.0, 180.0) > 0.99
    good(60.0, 337.0)
    assert good(120.0, 180.0) < 0.2


def test_on_real_sockets_a_server_is_as_fast_as_its_model() -> None:
    """Constant service, a crowd of a hundred: the timers of a real loop cost nothing (a sleep a request would cost some per cent)."""
    with stub("constant") as told:
        assert told["capacity"] == known()["constant"]["capacity"]
        assert press(told["url"], 100, 3.0).per_second == pytest.approx(300, rel=0.02)
    assert not psutil.pid_exists(told["pid"])


def test_a_crowd_before_a_closed_door_is_told_of_nothing() -> None:
    """A stack that did not outlive its run has no truth; its row is not lost."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        seen = press(f"http://127.0.0.1:{closed.getsockname()[1]}", 3, 0.5)
    assert (seen.per_second, seen.steady) == (0.0, 0.0)
    assert seen.statuses == {0: 3}


def ask(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError:
        return 0, ""


@pytest.mark.parametrize(
    ("name", "crowd", "told"),
    [
        ("bucket-small", 40, {200, 429}),
        ("connection-cap", 80, {200, 0}),
        ("broken", 2, {503}),
        ("never-breaks", 40, {200}),
        ("slow-step", 2, {200}),
    ],
)
def test_answers_on_sockets_are_what_the_kind_says_and_are_counted(name: str, crowd: int, told: set[int]) -> None:
    with stub(name) as server, ThreadPoolExecutor(crowd) as many:
        seen = {status for status, _ in many.map(lambda _: ask(server["url"]), range(crowd))}
        assert json.loads(ask(server["url"] + "/_truth")[1])["requests"] == crowd
    assert seen == told


def test_an_error_page_hides_behind_status_200() -> None:
    with stub("error-page") as server, ThreadPoolExecutor(60) as many:
        answers = list(many.map(lambda _: ask(server["url"]), range(60)))
    assert {status for status, _ in answers} == {200}
    assert 0 < sum("went wrong" in body for _, body in answers) < 60


def test_a_mute_server_takes_the_request_and_says_nothing() -> None:
    with stub("mute") as server, socket.create_connection(("127.0.0.1", int(server["url"].rsplit(":", 1)[1]))) as asking:
        asking.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        asking.settimeout(0.5)
        with pytest.raises(TimeoutError):
            asking.recv(1)
        assert json.loads(ask(server["url"] + "/_truth")[1])["requests"] == 1
