"""The client against servers that misbehave in every known way: one request on the wire, one outcome on record, never two."""

from __future__ import annotations

import errno
import gc
import os
import resource
from pathlib import Path

import client_ground as ground
import gevent
import pytest
from client_ground import HEAD, Lone, Served, answering, ok, raw, reset

from harness.engine.browser import connection
from harness.engine.browser.trouble import Trouble, of_os_error
from harness.engine.wire import Outcome
from harness.safety import Gate


def outcome_of(served: Served, **options):
    """What one request to this server comes to; checks that it was one and is on record once."""
    with served, ground.within(20):
        visitor = Lone()
        try:
            visitor.call(served.base, **options)
        except Trouble as trouble:
            assert trouble.outcome == visitor.last().outcome
        assert len(visitor.record.rows) == len(visitor.record.sents) == 1
        gevent.sleep(0.02)
        assert served.connections <= 1, "a failed request was sent again"
        assert len(served.heads) == visitor.record.left
        (row,) = visitor.record.rows
        assert row.total >= 0 and row.first_byte <= row.total + 1e-6
        errors = visitor.record.errors
        assert len(errors) == (0 if row.outcome == Outcome.OK else 1)
        for _, _, message in errors:
            assert "127.0.0.1" not in message and "http://" not in message, "no address in a message"
        return Outcome(row.outcome), next((message for _, _, message in errors), "")


def saying(*pieces: bytes, pause: float = 0.0):
    """Send the pieces, then close."""

    def script(sock):
        for piece in pieces:
            sock.sendall(piece)
            gevent.sleep(pause)

    return raw(script)


def slam(*pieces: bytes):
    """Send the pieces, then reset."""

    def script(sock):
        for piece in pieces:
            sock.sendall(piece)
        gevent.sleep(0.02)
        reset(sock)

    return raw(script)


@pytest.mark.parametrize(
    ("served", "expected", "words"),
    [
        (saying(), Outcome.RESET, "closed without an answer"),
        (saying(HEAD + b"Content-Le"), Outcome.RESET, "in the middle of the head"),
        (saying(HEAD + b"Content-Length: 10\r\n\r\nhalf"), Outcome.RESET, "in the middle of the body"),
        (saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), Outcome.RESET, "in the middle of the body"),
        (saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), Outcome.RESET, "in the middle of the body"),
        (slam(), Outcome.RESET, "reset"),
        (slam(HEAD), Outcome.RESET, "reset"),
        (slam(HEAD + b"Content-Length: 10\r\n\r\nhalf"), Outcome.RESET, "reset"),
        (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), Outcome.PROTOCOL, "not HTTP"),
        (saying(b"\x16\x03\x01\x02\x00\x01"), Outcome.PROTOCOL, "not HTTP"),
        (saying(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), Outcome.PROTOCOL, "not HTTP"),
        (saying(HEAD + b"Content-Length: minus\r\n\r\nab"), Outcome.PROTOCOL, "not HTTP"),
        (saying(HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), Outcome.PROTOCOL, "not HTTP"),
        (saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello world\r\n0\r\n\r\n"), Outcome.PROTOCOL, "not HTTP"),
        (saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"), Outcome.PROTOCOL, "not HTTP"),
        (saying(HEAD + b"X: a\0b\r\nContent-Length: 1\r\n\r\na"), Outcome.PROTOCOL, "not HTTP"),
        (saying(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), Outcome.PROTOCOL, "another protocol"),
        (saying(HEAD + b"A: b\r\n" * 20_000), Outcome.PROTOCOL, "does not end"),
        (saying(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"), Outcome.OK, ""),  # nobody reads it
        (saying(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), Outcome.HTTP_4XX, "status 404"),
        (saying(b"HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\n\r\n"), Outcome.HTTP_429, "status 429"),
        (saying(b"HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd"), Outcome.HTTP_5XX, "status 503"),
        (saying(b"HTTP/1.1 304 Same\r\nContent-Length: 300\r\n\r\n"), Outcome.OK, ""),
        (saying(b"HTTP/1.1 204 None\r\nContent-Length: 300\r\n\r\n"), Outcome.OK, ""),
        (saying(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok()), Outcome.OK, ""),
        (saying(b"HTTP/1.1 100 Continue\r\n\r\n", ok(status=b"500 No"), pause=0.02), Outcome.HTTP_5XX, "status 500"),
        (saying(b"HTTP/1.1 100 Continue\r\n\r\n"), Outcome.RESET, "closed"),
        (saying(HEAD + b"\r\n" + b"until the end"), Outcome.OK, ""),
        (saying(b"HTTP/1.0 200 OK\r\n\r\n", b"until", b" the end", pause=0.01), Outcome.OK, ""),
        (saying(HEAD + b"Transfer-Encoding: gzip\r\n\r\nuntil the end"), Outcome.OK, ""),
    ],
    ids=lambda value: None if isinstance(value, Served) else str(value)[:40],
)
def test_a_misbehaving_server_is_one_request_and_one_outcome(served, expected, words):
    """Closed early, reset, garbage, wrong lengths, bad chunks, endless headers, odd but valid framings: all have their class."""
    outcome, message = outcome_of(served)
    assert outcome is expected
    assert words in message.lower() or words in message


def test_nobody_listening_is_refused():
    """No connection, no retry: REFUSED with nothing in `connect`."""
    with Served(lambda sock: None) as gone:
        base = gone.base
    visitor = Lone()
    with pytest.raises(Trouble) as raised:
        visitor.call(base)
    assert raised.value.outcome is Outcome.REFUSED
    assert visitor.record.outcomes == [Outcome.REFUSED] and visitor.record.balanced and visitor.record.left == 0


def test_a_server_that_accepts_and_never_answers_is_a_read_timeout():
    """The step's timeout ends it, and `total` says when."""
    outcome, message = outcome_of(raw(lambda sock: gevent.sleep(5)), timeout=0.15)
    assert outcome is Outcome.READ_TIMEOUT and message == "no answer within the timeout"


def test_a_slow_drip_cannot_hold_a_visitor_beyond_the_timeout():
    """One byte every 20 ms keeps resetting the timeouts of clients that count between bytes."""
    drip = saying(*(bytes([byte]) for byte in HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * 100), pause=0.02)
    outcome, message = outcome_of(drip, timeout=0.4)
    assert outcome is Outcome.READ_TIMEOUT and message == "the answer did not end within the timeout"


def test_a_full_backlog_is_a_connect_timeout():
    """The listener accepts nothing: once its queue is full, connections hang."""
    listener = ground.socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    fillers = []
    for _ in range(4):
        filler = ground.socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    visitor = Lone()
    with ground.within(10), pytest.raises(Trouble) as raised:
        visitor.call(base, timeout=0.2)
    assert raised.value.outcome is Outcome.CONNECT_TIMEOUT
    assert visitor.last().connect == 0.0 and visitor.last().first_byte == 0.0 and visitor.record.left == 0
    for sock in (*fillers, listener):
        sock.close()


def test_a_name_that_does_not_exist_is_a_dns_failure():
    """Only after the look-up has failed, and without naming the host."""
    visitor = Lone()
    with ground.within(20), pytest.raises(Trouble) as raised:
        visitor.call("http://no-such-host.invalid", timeout=15)
    assert raised.value.outcome is Outcome.DNS and visitor.record.left == 0
    assert "invalid" not in raised.value.message


def test_a_host_that_is_not_allowed_gets_no_packet():
    """The gate stands before connect: the outcome is UNSAFE, and a server that listens there sees nobody."""
    visitor = Lone()
    with pytest.raises(Trouble) as raised:
        visitor.call("http://192.0.2.1:9")
    assert raised.value.outcome is Outcome.UNSAFE
    assert visitor.record.balanced and visitor.last().connect == 0.0 and visitor.record.left == 0


def test_a_redirect_beyond_the_gate_is_not_followed():
    """The first hop is fine; the second is on record as UNSAFE and never leaves."""
    with answering(ok(b"", b"Location: http://198.51.100.7/away", status=b"302 Found")) as served:
        visitor = Lone(gate=Gate(frozenset({"example.org"})))
        with pytest.raises(Trouble) as raised:
            visitor.call(served.base)
    assert raised.value.outcome is Outcome.UNSAFE and raised.value.sample == 1
    assert visitor.record.outcomes == [Outcome.OK, Outcome.UNSAFE] and visitor.record.left == len(served.heads) == 1


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM])
def test_our_own_exhaustion_is_never_blamed_on_the_site(number):
    """Descriptors, ports and buffers are ours."""
    assert of_os_error(OSError(number, "x")).outcome is Outcome.GENERATOR


def test_running_out_of_descriptors_is_the_generators_fault():
    """For real: the process is at its limit, the request is GENERATOR, and afterwards everything works again."""
    gc.collect()  # sockets of earlier tests must not be freed in the middle of this one
    with answering(ok()) as served:
        visitor = Lone()
        gevent.sleep(0.1)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, hard))
        held = []
        try:
            while True:
                try:
                    held.append(os.dup(0))
                except OSError:
                    break
            with pytest.raises(Trouble) as raised:
                visitor.call(served.base)
        finally:
            for descriptor in held:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert raised.value.outcome is Outcome.GENERATOR
        assert visitor.call(served.base).status == 200
    assert visitor.record.outcomes == [Outcome.GENERATOR, Outcome.OK] and visitor.record.left == len(served.heads) == 1


def test_descriptors_beyond_1024_work():
    """select() fails there, and clients built on it reconnect for every request in exactly the large runs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1400:
        pytest.skip("this machine allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1400), hard))
    with answering(ok()) as served:
        held = [os.dup(0) for _ in range(1100)]
        try:
            visitor = Lone()
            for _ in range(3):
                visitor.call(served.base)
            (kept,) = visitor.browser._idle
            assert kept._sock.fileno() > 1024
        finally:
            for descriptor in held:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert served.connections == 1
    visitor.browser.close()


def test_an_early_refusal_of_a_large_body_is_read():
    """413 and close before the body is read: the answer counts, not the broken pipe (RFC 9110 section 15.5.14)."""

    def handle(sock):
        sock.recv(1000)
        sock.sendall(ok(b"too much", b"Connection: close", status=b"413 Too Large"))
        gevent.sleep(0.05)

    with Served(handle) as served, ground.within(10):
        visitor = Lone()
        with pytest.raises(Trouble) as raised:
            visitor.call(served.base, method="POST", body=lambda _: b"x" * 3_000_000)
    assert raised.value.outcome in (Outcome.HTTP_4XX, Outcome.RESET)  # the kernel may throw the answer away with the reset
    assert visitor.record.balanced


def test_a_large_body_is_sent_whole_and_slowly_read():
    """More than the socket's buffers hold: the client waits for room and goes on."""
    got = []

    def handle(sock):
        data = sock.recv(1024)
        while len(data) < 5_000_000:
            more = sock.recv(200_000)
            if not more:
                return
            data += more
        got.append(len(data.partition(b"\r\n\r\n")[2]))
        sock.sendall(ok())

    with Served(handle) as served, ground.within(20):
        visitor = Lone()
        visitor.call(served.base, method="POST", body=lambda _: b"x" * 5_000_000, timeout=15)
    assert got == [5_000_000]
    assert visitor.record.outcomes == [Outcome.OK]


def test_a_body_that_nobody_reads_is_counted_and_not_kept():
    """64 MB flow through; `size` is exact; the connection keeps none of it."""
    piece = b"x" * (1 << 20)

    def script(sock):
        sock.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % (64 << 20))
        for _ in range(64):
            sock.sendall(piece)
        gevent.sleep(0.2)

    with raw(script) as served, ground.within(30):
        visitor = Lone()
        visitor.call(served.base, timeout=25)
        assert visitor.last().size == 64 << 20
        (kept,) = visitor.browser._idle
        assert sum(map(len, kept._parts)) == 0


def test_a_body_that_is_read_is_kept_up_to_a_bound(monkeypatch):
    """Past the bound the rest is counted only."""
    monkeypatch.setattr(connection, "MOST", 100_000)
    with answering(ok(b"a" * 1_000_000)) as served:
        visitor = Lone()
        answer = visitor.call(served.base, read=True)
    assert visitor.last().size == 1_000_000
    assert 100_000 <= len(answer.raw) <= 100_000 + connection.CHUNK
