"""A crew's visitors: placed, thinned, cut off, counted exactly; the same numbers do the same things; waiting ones cost next to nothing."""

from __future__ import annotations

import contextlib
import gc
import random
import weakref
from collections import Counter

import client_ground as ground
import gevent
import pytest
from client_ground import Served, answering, ok, reset, until
from test_compiler import crew_for, journeys, live

from harness.engine.wire import FLAG_SCANNER, FLAG_SCOUT, Outcome

STEPS = ("page: /start", "think: 20 s to 40 s", "get: /ticket\n        extract: {t: json $.t}", "think: 1 min", "get: /end/{{ t }}")


def ticketing():
    """A page, a ticket with a cookie, an end."""

    def handle(sock):
        while head := served.read_head(sock):
            sock.sendall(ok(b'{"t": "T-1"}', b"Set-Cookie: sid=1; Path=/") if b"/ticket" in head else ok(b"page"))

    served = Served(handle)
    return served


def conserved(tally) -> bool:
    return tally.started == tally.completed + tally.failed + tally.abandoned + tally.cut_off + tally.present


def test_a_scout_goes_ahead_without_pauses_and_leaves_its_state():
    """Two minutes of pauses are skipped; afterwards visitors can be placed in every pause, and are not counted as scouts."""
    with ticketing() as served:
        crew, record, _ = crew_for(served.base, journeys(*STEPS))
        assert crew.place(1, 0, 1) is False and crew.tally.started == 0
        with ground.within(5):
            assert crew.scout(0, 0).outcome is Outcome.OK
        assert {row.flags & FLAG_SCOUT for row in record.rows} == {FLAG_SCOUT}
        assert (crew.tally.scouts, crew.tally.started, crew.tally.present) == (1, 0, 0)
        assert crew.place(1, 0, 1) and crew.place(2, 0, 3)
        assert (crew.standing(0, 1), crew.standing(0, 3), crew.tally.present) == (0, 0, 2) or until(lambda: crew.standing(0, 3) == 1)
        crew.cut_all()
        assert crew.join(2) and crew.tally.cut_off == 2 and conserved(crew.tally)


def test_a_scout_says_what_is_wrong():
    """The first failure with its sample and words."""
    with answering(ok(), ok(status=b"500 No")) as served:
        crew, _, labels = crew_for(served.base, journeys("get: /a", "get: /b", "get: /c"))
        said = crew.scout(0, 0)
    assert (said.outcome, said.sample, said.message) == (Outcome.HTTP_5XX, labels["GET /b"], "status 500")
    assert len(served.heads) == 2


def test_a_placed_visitor_goes_on_with_the_state_of_one_who_came_there():
    """Variables, cookies and cache come along: its first request is the step after its pause."""
    with ticketing() as served:
        steps = (*STEPS[:3], "think: 30 ms", STEPS[4])
        crew, record, _ = crew_for(served.base, journeys(*steps))
        crew.scout(0, 0)
        del served.heads[:]
        for number in range(10):
            assert crew.place(number, 0, 3)
        assert crew.join(5)
    assert [head.split(b" ")[1] for head in served.heads] == [b"/end/T-1"] * 10
    assert all(b"Cookie: sid=1" in head for head in served.heads)
    assert crew.tally.completed == 10 and record.lags == []


def test_residual_times_are_those_of_the_inspection_paradox():
    """Placed in a pause of 200 to 600 ms: the mean residual is E[L²]/2E[L] = 217 ms, never beyond 600."""
    with answering(ok()) as served:
        crew, record, _ = crew_for(served.base, journeys("get: /a", "think: 200 ms to 600 ms", "get: /b"))
        crew.scout(0, 0)
        del record.sents[:]
        began = ground.monotonic()
        for number in range(400):
            crew.place(number, 0, 1)
        assert crew.join(10)
    left = [at - began for at, _ in record.sents]
    assert len(left) == 400 and max(left) < 0.75
    assert sum(left) / 400 == pytest.approx(0.217 + 0.03, abs=0.06)


def test_thinning_cuts_exactly_as_many_as_asked_and_who_waits_sends_nothing():
    """A seeded share leaves at once; the others stay."""
    with ticketing() as served:
        crew, record, _ = crew_for(served.base, journeys(*STEPS))
        crew.scout(0, 0)
        sent = len(record.sents)
        for number in range(100):
            crew.place(number, 0, 3)
        assert until(lambda: crew.standing(0, 3) == 100)
        assert crew.thin(0, 3, 40) == 40
        assert until(lambda: crew.standing(0, 3) == 60) and crew.tally.cut_off == 40
        assert crew.thin(0, 3, 500) == 60
        assert crew.join(2) and crew.tally.cut_off == 100
    assert len(record.sents) == sent and Outcome.CUT_OFF not in record.outcomes


def test_who_is_cut_in_the_middle_of_a_request_leaves_it_on_record_as_cut_off():
    """The site may have seen it: neither ok nor failed, and its connection is closed."""
    gone = []

    def handle(sock):
        served.read_head(sock)
        gone.append(sock.recv(1))

    served = Served(handle)
    with served:
        crew, record, _ = crew_for(served.base, journeys("page: /slow"))
        for number in range(20):
            crew.arrive(number, 0, ground.monotonic())
        assert until(lambda: len(served.heads) == 20)
        crew.cut_all()
        assert crew.join(2)
        assert until(lambda: len(gone) == 20)
    assert record.outcomes == [Outcome.CUT_OFF] * 20 and record.balanced
    assert crew.tally.cut_off == 20 and not record.errors


def test_who_is_cut_while_connecting_has_sent_nothing_and_the_account_with_the_site_closes():
    """A listener that accepts nobody: the requests of the few in its queue have left, those of all others have not, and the record tells
    them apart."""
    listener = ground.socket.create_server(("127.0.0.1", 0), backlog=2)
    crew, record, _ = crew_for(f"http://127.0.0.1:{listener.getsockname()[1]}", journeys("get: /"))
    for number in range(20):
        crew.arrive(number, 0, ground.monotonic())
    assert until(lambda: len(record.sents) == 20)
    crew.cut_all()
    assert crew.join(2) and crew.tally.cut_off == 20
    assert record.outcomes == [Outcome.CUT_OFF] * 20 and record.balanced
    seen = 0
    with contextlib.suppress(TimeoutError):
        listener.settimeout(1.5)  # beyond the second after which a connection that was cut would be asked for again
        while True:
            with listener.accept()[0] as sock:
                seen += sock.recv(1000).startswith(b"GET / ")
    listener.close()
    assert seen == record.left and 0 < seen < 20


def test_cutting_a_visitor_before_its_first_turn_sends_nothing():
    """Arrived and gone within one turn of the loop."""
    with answering(ok()) as served:
        crew, record, _ = crew_for(served.base, journeys("get: /"))
        crew.arrive(1, 0, ground.monotonic())
        crew.cut_all()
        assert crew.join(1)
    assert record.sents == [] and crew.tally.cut_off == 1


def test_a_viewer_is_cut_with_all_its_strands():
    """Player and polls, waiting or under way: nothing goes on after the cut."""

    def handle(sock):
        while head := served.read_head(sock):
            if b"/slow" in head:
                gevent.sleep(1)
            sock.sendall(ok(live(1)))

    served = Served(handle)
    with served:
        watch = "watch: /live.m3u8\n        for: 1 min\n        meanwhile: [{get: /slow, every: 100 ms}, {get: /fast, every: 100 ms}]"
        crew, record, _ = crew_for(served.base, journeys(watch))
        for number in range(10):
            crew.arrive(number, 0, ground.monotonic())
        with gevent.Timeout(10):
            while sum(b"/slow" in head for head in served.heads) < 10:
                gevent.sleep(0.02)
        crew.cut_all()
        assert crew.join(2)
        gevent.sleep(0.2)  # what had left before the cut is read by the site
        seen = len(served.heads)
        gevent.sleep(0.4)
        assert len(served.heads) == seen <= len(record.sents)
    assert record.balanced and record.outcomes.count(Outcome.CUT_OFF) >= 10  # all the slow ones, and a quick one if it was just under way
    assert crew.tally.cut_off == 10 and conserved(crew.tally)


def test_scanners_open_the_first_address_and_are_nobody():
    """No assets, no checks, no census."""
    with answering(ok(b"<img src=/a.png>"), close=False) as served:
        crew, record, _ = crew_for(served.base, journeys("think: 1 min", "page: /\n        check: {contains: nothing}", "get: /b"))
        crew.scan(5, 0, ground.monotonic())
        assert crew.join(2)
    assert [head.split(b" ")[1] for head in served.heads] == [b"/"]
    assert crew.tally.scanners == 1 and crew.tally.started == 0
    assert [row.flags & FLAG_SCANNER for row in record.rows] == [FLAG_SCANNER] and record.outcomes == [Outcome.OK]


def test_a_visitor_who_waits_in_vain_has_abandoned_the_visit():
    """A timeout is giving up; everything else is a failure."""
    with Served(lambda sock: gevent.sleep(2)) as served:
        crew, _, _ = crew_for(served.base, journeys("get: /\n        timeout: 100 ms"))
        crew.arrive(1, 0, ground.monotonic())
        assert crew.join(2)
    assert crew.tally.abandoned == 1 and conserved(crew.tally)


def test_lateness_counts_from_the_planned_moment():
    """An arrival due 300 ms ago: its lag is on record, and so is the wait of its first request, not of its second."""
    with answering(ok()) as served:
        crew, record, _ = crew_for(served.base, journeys("get: /a", "get: /b"))
        crew.arrive(1, 0, ground.monotonic() - 0.3)
        assert crew.join(2)
    first, second = record.rows
    assert 0.3 <= first.wait < 0.5 and second.wait < 0.05
    assert 0.3 <= record.lags[0] < 0.5


def test_the_same_seed_and_number_make_the_same_visit():
    """Thinking times and identities come from (seed, number) alone, whatever else happens around them."""

    def story(seed, numbers):
        with answering(ok()) as served:
            crew, _, _ = crew_for(served.base, journeys("think: 10 ms to 400 ms", "get: /{{ visitor.id }}/{{ visitor.number }}"), seed=seed)
            began = ground.monotonic()
            for number in numbers:
                crew.arrive(number, 0, began)
            assert crew.join(5)
            return [head.split(b" ")[1] for head in served.heads]

    order = story(3, range(12))
    assert story(3, reversed(range(12))) == order
    assert story(4, range(12)) != order


def test_a_fault_of_our_own_is_counted_as_the_generators(monkeypatch):
    """An exception in a step is no verdict on the site; the visit fails, the crew lives on."""
    with answering(ok()) as served:
        crew, record, _ = crew_for(served.base, journeys("get: /"))
        broken = crew.journeys[0].steps[0]

        def explode(visitor, strand):
            raise ZeroDivisionError("a fault")

        object.__setattr__(broken, "go", explode)
        crew.arrive(1, 0, ground.monotonic())
        assert crew.join(2)
    assert crew.tally.failed == 1 and conserved(crew.tally)
    ((_, outcome, message),) = record.errors
    assert outcome is Outcome.GENERATOR and message == "ZeroDivisionError in the generator: a fault"


@pytest.mark.parametrize("seed", range(8))
def test_everything_is_conserved_whatever_happens(seed):
    """Seeded chaos: a server that answers, stalls, resets and lies; visitors arrive, are placed, thinned and cut. All books balance,
    here and at the target."""
    chance = random.Random(seed)
    served: Served

    def handle(sock):
        while head := served.read_head(sock):
            fate = chance.random()
            if fate < 0.1:
                return
            if fate < 0.15:
                reset(sock)
                return
            if fate < 0.25:
                gevent.sleep(0.15)
            if fate < 0.3:
                sock.sendall(b"nonsense")
                return
            if fate < 0.4:
                sock.sendall(ok(status=b"503 No"))
            else:
                sock.sendall(ok(live(1)) if b"m3u8" in head else ok(b"<img src=/1.png><img src=/2.png>", b"Set-Cookie: a=1"))

    with (served := Served(handle)):
        text = journeys(
            "page: /a\n        timeout: 100 ms",
            "think: 10 ms to 100 ms",
            "watch: /l.m3u8\n        timeout: 100 ms\n        for: 300 ms\n        meanwhile: [{get: /p, every: 100 ms}]",
            other="get: /b",
        )
        crew, record, _ = crew_for(served.base, text, seed=seed)
        for n in range(6):
            crew.scout(-n, 0)
        placed = 0
        for number in range(150):
            crew.arrive(number, chance.randrange(2), ground.monotonic())
            placed += crew.place(1000 + number, 0, chance.choice((1, 2)))
            if chance.random() < 0.1:
                crew.thin(0, chance.choice((1, 2)), 5)
            if chance.random() < 0.1:
                crew.scan(5000 + number, 0, ground.monotonic())
            gevent.sleep(chance.random() * 0.005)
            assert conserved(crew.tally)
        gevent.sleep(0.1)
        crew.cut_all()
        assert crew.join(3)
    tally = crew.tally
    assert tally.due == tally.started == 150 + placed and tally.present == 0 and conserved(tally)
    assert record.balanced
    never_left = (Outcome.REFUSED, Outcome.CONNECT_TIMEOUT, Outcome.GENERATOR, Outcome.DNS, Outcome.UNSAFE)
    assert not set(record.outcomes) & set(never_left)
    cut = Counter(record.outcomes)[Outcome.CUT_OFF] + Counter(record.outcomes)[Outcome.RESET]
    assert len(record.rows) - cut <= len(served.heads) <= len(record.rows)
    assert all(not standing.inside for standing in crew.standings.values())


def test_visitors_who_have_gone_are_freed_at_once():
    """Completed, failed, timed out, cut in the middle of a watch: no circle keeps anything until a collection, which would stop
    everybody."""

    def handle(sock):
        while head := served.read_head(sock):
            if b"/never" in head:
                gevent.sleep(0.3)
            if b"/reset" in head:
                return
            sock.sendall(ok(live(1)) if b"m3u8" in head else ok(b"<img src=/reset>", b"Set-Cookie: a=1"))

    served: Served
    with (served := Served(handle)):
        crew, _, _ = crew_for(
            served.base,
            journeys(
                "page: /start",
                "think: 5 ms",
                "watch: /l.m3u8\n        for: 1 min\n        meanwhile: [{get: /reset, every: 100 ms}]",
                fails="get: /reset",
                waits="get: /never\n        timeout: 50 ms",
                more="get: /b",
            ),
        )
        crew.scout(0, 0)
        gone = []
        gc.collect()
        gc.disable()
        try:
            for number in range(60):
                crew.arrive(number, number % 4, ground.monotonic())
                gone += [weakref.ref(visitor) for visitor in crew._all.values()]
                gevent.sleep(0.002)
            gevent.sleep(0.2)
            crew.cut_all()
            assert crew.join(5)
            gevent.sleep(0)
            left = [ref() for ref in gone if ref() is not None]
            assert len(left) == 0, left[0].ended
        finally:
            gc.enable()
