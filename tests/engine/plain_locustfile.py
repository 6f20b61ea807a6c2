"""The packaged locustfile with a crew of the plainest kind: a visitor is a greenlet, a request a socket. For tests of the fleet alone."""

from __future__ import annotations

import random
import time

import gevent
from gevent import socket
from gevent.pool import Group

from harness.engine import recruit
from harness.engine.visitors.visit import Scouted, Tally
from harness.engine.wire import FLAG_NEW_CONNECTION, FLAG_UNSENT, Outcome
from harness.scenario.catalog import samples
from harness.scenario.model import Think


class Journey:
    def __init__(self, number):
        self.number = number


class PlainCrew:
    def __init__(self, orders, recorder):
        self.orders, self.recorder = orders, recorder
        self.journeys = tuple(Journey(n) for n in range(len(orders.scenario.journeys)))
        host, port = orders.target.removeprefix("http://").rstrip("/").split(":")
        self.address = (host, int(port))
        self.tally = Tally()
        self.standings = {place: {} for place in orders.dwelling}
        self.samples = {(s.journey, s.step): s.number for s in reversed(samples(orders.scenario)) if s.kind != "redirect"}
        self.group = Group()
        self.reached = set()
        self.level = float("inf")

    def arrive(self, number, journey, due, mark):
        self._start(number, journey, 0, due, mark)

    def place(self, number, journey, step, mark):
        if (journey, step) not in self.reached:
            return False
        self._start(number, journey, step, None, mark)
        return True

    def _start(self, number, journey, step, due, mark):
        self.tally.due += 1
        self.tally.started += 1
        self.tally.present += 1
        self.group.spawn(self._walk, number, journey, step, due, mark)

    def scan(self, number, journey, due):
        self.tally.scanners += 1
        self.group.spawn(self._get, journey, 0, due)

    def lower(self, level):
        self.level = level
        for inside in self.standings.values():
            for greenlet, mark in list(inside.items()):
                if mark >= level:
                    greenlet.kill(block=False)

    def scout(self, number, journey):
        self.tally.scouts += 1
        for s, step in enumerate(self.orders.scenario.journeys[journey].steps):
            if isinstance(step, Think):
                self.reached.add((journey, s))
                continue
            outcome, message = self._get(journey, s, time.monotonic())
            if outcome:
                return Scouted(outcome=outcome, sample=self.samples[journey, s], message=message)
        return Scouted(outcome=Outcome.OK)

    def cut_all(self):
        self.group.kill(block=False)

    def join(self, timeout=None):
        return bool(self.group.join(timeout))

    def _walk(self, number, journey, start, due, mark):
        fate = "cut_off"
        dice = random.Random(number)
        if due is not None:
            self.recorder.lag(time.monotonic() - due)
        try:
            for s, step in enumerate(self.orders.scenario.journeys[journey].steps):
                if s < start:
                    continue
                if isinstance(step, Think):
                    me = gevent.getcurrent()
                    inside = self.standings.setdefault((journey, s), {})
                    if mark >= self.level:
                        return
                    inside[me] = mark
                    try:
                        gevent.sleep(step.pause.residual(dice) if s == start and due is None else step.pause.sample(dice))
                    finally:
                        inside.pop(me, None)
                    continue
                outcome, _ = self._get(journey, s, due if s == 0 and due is not None else time.monotonic(), number)
                if outcome:
                    fate = "failed"
                    return
            fate = "completed"
        finally:
            setattr(self.tally, fate, getattr(self.tally, fate) + 1)
            self.tally.present -= 1

    def _get(self, journey, step, planned, number=-1):
        sample = self.samples[journey, step]
        url = self.orders.scenario.journeys[journey].steps[step].url
        sent = time.monotonic()
        self.recorder.sent(sent, sample)
        outcome, message, size, flags = Outcome.CUT_OFF, "", 0, FLAG_NEW_CONNECTION | FLAG_UNSENT
        try:
            with socket.create_connection(self.address, timeout=10) as sock:
                flags = FLAG_NEW_CONNECTION
                sock.sendall(f"GET {url} HTTP/1.0\r\nHost: x\r\nX-Visitor: {number}\r\n\r\n".encode())
                answer = b""
                while piece := sock.recv(65536):
                    answer += piece
            size = len(answer)
            status = int(answer.split()[1]) if answer else 0
            outcome = (
                Outcome.OK
                if 200 <= status < 400
                else Outcome.HTTP_5XX
                if status >= 500
                else Outcome.RESET
                if not status
                else Outcome.HTTP_4XX
            )
            message = "" if outcome is Outcome.OK else f"status {status}"
        except ConnectionRefusedError:
            outcome, message = Outcome.REFUSED, "connection refused"
        except TimeoutError:
            outcome, message = Outcome.READ_TIMEOUT, "timed out"
        except OSError as error:
            outcome, message = Outcome.RESET, type(error).__name__
        finally:
            total = time.monotonic() - sent
            self.recorder.done(sent, sent - planned, 0.0, 0.0, total, total, size, sample, int(outcome), flags)
            if message:
                self.recorder.error(sample, int(outcome), message)
        return outcome, message


recruit.recruit = lambda environment: PlainCrew

from harness.engine.locustfile import *  # noqa: E402, F403
