"""In: the real `locust` command, as master or worker. Out: Locust's transport and pages, with arrivals of our own.

Locust is asked for zero users for ever (a load shape), so it is always "running" and starts nobody; the master's conductor and each
worker's member do the rest over custom messages. Master and local workers hold a line to the parent and end when it does.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from typing import Any

import gevent
import locust.runners
from locust import LoadTestShape, User, events
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_INIT, STATE_RUNNING, MasterRunner, WorkerRunner

from harness.engine import lifeline
from harness.engine.conductor import Conductor
from harness.engine.link import Link
from harness.engine.member import Member
from harness.engine.mirror import Mirror
from harness.engine.recruit import recruit

locust.runners.WORKER_REPORT_INTERVAL = 1.0
locust.runners.MASTER_HEARTBEAT_TIMEOUT = 5

_LIFE = lifeline.take()
if _LIFE is not None and "--worker" in sys.argv:
    os.environ["LOCUST_MASTER_NODE_PORT"] = _LIFE.port()


class Nobody(LoadTestShape):  # type: ignore[misc]
    """Zero users, for ever: Locust is running, and the arrivals are ours."""

    def tick(self) -> tuple[int, float]:
        return (0, 1.0)


class Visitors(User):  # type: ignore[misc]
    """Stands for all visitors on Locust's own pages; Locust never starts one."""

    def _never(self) -> None:
        raise AssertionError("Locust must not start visitors")

    tasks = (_never,)


def _leave(code: int) -> None:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@events.init.add_listener  # type: ignore[untyped-decorator]
def _init(environment: Environment, runner: Any, **_: Any) -> None:
    environment.process_exit_code = 0
    if isinstance(runner, MasterRunner):
        _master(environment, runner)
    elif isinstance(runner, WorkerRunner):
        _worker(environment, runner)


def _master(environment: Environment, runner: MasterRunner) -> None:
    runner.master_bind_port = runner.server.port  # should Locust ever bind again, then here
    link = Link(socket.socket(fileno=int(os.environ["SURGE_LINK"])))
    mirror = Mirror(environment)

    def post(kind: str, message: dict[str, Any], client: str) -> None:
        runner.server.send_to_client(Message(kind, message, client))

    def leave() -> None:
        gevent.spawn_later(3.0, _leave, 0)
        runner.quit()
        _leave(0)

    def make_running() -> bool:
        """Locust would look for its workers once a second; its spawn order costs each of them ~150 ms, so it must come before the load."""
        if runner.shape_greenlet is None and runner.state == STATE_INIT:
            runner.start_shape()
            environment.parsed_options.expect_workers = 0  # Locust's own wait for idle workers is over: they are all at work
        return bool(runner.state == STATE_RUNNING)

    conductor = Conductor(
        link,
        post,
        port=runner.server.port,
        leave=leave,
        on_begin=mirror.begin,
        on_part=mirror.add,
        make_running=make_running,
        dismiss=lambda client: post("quit", {}, client),
    )
    for kind in conductor.handlers:
        runner.register_message(kind, lambda environment, msg, kind=kind: conductor.hear(kind, msg.node_id, msg.data), concurrent=False)

    @environment.events.worker_connect.add_listener  # type: ignore[untyped-decorator]
    def _connected(client_id: str, **_: Any) -> None:
        conductor.stranger(client_id)

    @environment.events.test_stopping.add_listener  # type: ignore[untyped-decorator]
    def _stopping(environment: Environment, **_: Any) -> None:
        conductor.stopped_by_hand()

    gevent.spawn(conductor.run)


def _worker(environment: Environment, runner: WorkerRunner) -> None:
    def send(kind: str, message: dict[str, Any]) -> None:
        runner.client.send(Message(kind, message, runner.client_id))

    token, shard = os.environ.get("SURGE_TOKEN", ""), int(os.environ.get("SURGE_SHARD", "-1"))
    member = Member(send, recruit(environment), token=token, shard=shard, leave=_leave, local=time.monotonic)
    for kind in member.handlers:
        runner.register_message(kind, lambda environment, msg, kind=kind: member.hear(kind, msg.data), concurrent=False)

    @environment.events.report_to_master.add_listener  # type: ignore[untyped-decorator]
    def _present(client_id: str, data: dict[str, Any], **_: Any) -> None:
        data["user_count"] = member.present()
        data["user_classes_count"] = {"Visitors": member.present()}

    if _LIFE is not None:
        gevent.spawn(_LIFE.watch, _leave)
    gevent.spawn(member.enlist)
