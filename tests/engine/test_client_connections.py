"""Kept connections, races with a server that closes them, TLS, IPv6, names and source addresses."""

from __future__ import annotations

import datetime
from pathlib import Path

import client_ground as ground
import gevent
import pytest
import trustme
from client_ground import HEAD, Lone, Served, answering, ok, raw, reset, until
from gevent import ssl

from harness.engine.browser.names import Names
from harness.engine.browser.trouble import Trouble
from harness.engine.wire import FLAG_NEW_CONNECTION, Outcome
from harness.safety import Gate


def fetch(visitor, base, path="/", **options):
    """The outcome of one request; the loop turns once afterwards, so that a server's close has arrived."""
    with ground.within(20):
        try:
            visitor.call(base, path, **options)
            found = Outcome.OK
        except Trouble as trouble:
            found = trouble.outcome
        gevent.sleep(0.02)
        return found


def test_one_connection_serves_a_whole_visit():
    """Ten requests, one connection."""
    with answering(ok()) as served:
        visitor = Lone()
        assert [fetch(visitor, served.base) for _ in range(10)] == [Outcome.OK] * 10
        assert served.connections == 1
        assert [row.flags for row in visitor.record.rows] == [1] + [0] * 9


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"bye", b"Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nbye",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbye",
    ],
)
def test_a_connection_that_will_be_closed_is_not_used_again(answer):
    """Connection: close, HTTP/1.0 and bodies that end with the connection: the next request makes its own."""
    with answering(answer, close=True) as served:
        visitor = Lone()
        assert [fetch(visitor, served.base) for _ in range(3)] == [Outcome.OK] * 3
        assert served.connections == len(served.heads) == 3
        assert [row.size for row in visitor.record.rows] == [3] * 3


def test_http_1_0_with_keep_alive_is_kept():
    """When both sides have said so."""
    with answering(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nbye") as served:
        visitor = Lone()
        assert [fetch(visitor, served.base) for _ in range(3)] == [Outcome.OK] * 3
        assert served.connections == 1


def test_a_kept_connection_found_closed_before_use_is_replaced_and_nothing_is_sent_twice():
    """The close was there to be seen before a byte had left: a new connection, one request, no failure."""
    with answering(ok(), close=True) as served:  # closes without having said so
        visitor = Lone()
        assert [fetch(visitor, served.base) for _ in range(4)] == [Outcome.OK] * 4
        assert served.connections == len(served.heads) == 4


def test_a_kept_connection_that_is_reset_before_use_is_replaced():
    """The same with RST."""

    def handle(sock):
        served.read_head(sock)
        sock.sendall(ok())
        gevent.sleep(0.005)
        ground.reset(sock)

    with Served(handle) as served:
        visitor = Lone()
        assert [fetch(visitor, served.base) for _ in range(3)] == [Outcome.OK] * 3


def test_a_kept_connection_that_closes_after_the_request_has_left_is_a_failure():
    """The race that browsers hide by sending again: here it is RESET, once on record and once on the wire."""

    def handle(sock):
        served.read_head(sock)
        sock.sendall(ok())
        served.read_head(sock)  # the second request arrives and is not answered

    with Served(handle) as served:
        visitor = Lone()
        assert fetch(visitor, served.base) is Outcome.OK
        assert fetch(visitor, served.base) is Outcome.RESET
        assert len(served.heads) == 2 and served.connections == 1


def test_words_that_nobody_asked_for_are_not_taken_for_the_next_answer():
    """A 408 on an idle connection: the next request goes out on a new one and gets its own answer."""

    def handle(sock):
        served.read_head(sock)
        sock.sendall(ok())
        gevent.sleep(0.005)
        sock.sendall(ok(status=b"408 Too Late"))
        gevent.sleep(0.2)

    with Served(handle) as served:
        visitor = Lone()
        assert [fetch(visitor, served.base) for _ in range(2)] == [Outcome.OK] * 2
        assert served.connections == 2


@pytest.mark.parametrize("extra", [ok(b"second"), b"garbage", b"HTTP/1.1 200"])
def test_more_than_one_answer_in_one_breath_ends_the_connection(extra):
    """The answer asked for counts, with its own size; what follows is never taken for the next one."""
    with answering(ok(b"first") + extra) as served:
        visitor = Lone()
        for _ in range(2):
            assert fetch(visitor, served.base, read=True) is Outcome.OK
            assert visitor.last().size == 5
        assert served.connections == 2


def test_a_body_longer_than_announced_ends_the_connection():
    """Content-Length counts; the surplus is not the next answer."""
    with answering(ok(b"12345") + b"678") as served:
        visitor = Lone()
        assert fetch(visitor, served.base) is Outcome.OK
        assert fetch(visitor, served.base) is Outcome.OK
        assert served.connections == 2


def test_a_failed_request_closes_its_connection():
    """After nonsense or a timeout nothing more is sent there; after a 500 in good form the connection is kept."""
    with answering(ok(status=b"500 No"), ok()) as served:
        visitor = Lone()
        assert fetch(visitor, served.base) is Outcome.HTTP_5XX
        assert fetch(visitor, served.base) is Outcome.OK
        assert served.connections == 1
    with answering(b"nonsense", ok()) as served:
        assert fetch(visitor, served.base) is Outcome.PROTOCOL
        assert fetch(visitor, served.base) is Outcome.OK
        assert served.connections == 2


def test_an_answer_in_many_pieces_is_one_answer():
    """Every split of head and body, byte by byte."""
    whole = ok(b"hello", b"Set-Cookie: a=1")

    def script(sock):
        for byte in whole:
            sock.sendall(bytes([byte]))
            gevent.sleep(0)

    with raw(script) as served:
        visitor = Lone()
        assert fetch(visitor, served.base, read=True) is Outcome.OK
        assert visitor.last().size == 5
        assert visitor.browser.jar.line("127.0.0.1", "/", False) == b"a=1"


def test_each_request_on_a_connection_has_its_own_time():
    """A longer one outlives the time of the one before it; a shorter one ends at its own, though a longer time was running."""

    def handle(sock):
        while head := served.read_head(sock):
            gevent.sleep(float(head.split(b" ")[1][1:]))
            sock.sendall(ok())

    served = Served(handle)
    with served:
        visitor = Lone()
        assert fetch(visitor, served.base, "/0", timeout=0.1) is Outcome.OK
        assert fetch(visitor, served.base, "/0.25", timeout=0.5) is Outcome.OK
        gevent.sleep(0.5)  # nobody waits when their times run out
        assert fetch(visitor, served.base, "/0", timeout=5) is Outcome.OK
        assert fetch(visitor, served.base, "/1", timeout=0.1) is Outcome.READ_TIMEOUT
    assert served.connections == 1
    assert visitor.last().total == pytest.approx(0.1, abs=0.03)


def test_what_is_left_of_a_visitors_connection_serves_the_next_one_as_new():
    """Another site, sizes and times of its own; what ended badly is not kept."""
    with Served(lambda sock: None) as gone:
        nobody = gone.base
    with answering(ok(b"x" * 5000)) as one, answering(ok(b"y"), ok(b"z" * 70)) as other, raw(reset) as broken:
        visitor = Lone()
        spare = visitor.client.spare
        for base, outcome in ((broken.base, Outcome.RESET), (nobody, Outcome.REFUSED)):
            assert fetch(visitor, one.base) is Outcome.OK
            visitor.browser.close()
            assert len(spare) == 1
            assert fetch(visitor, base) is outcome and not spare
            assert (visitor.last().size, visitor.last().first_byte) == (0, 0.0)
        assert fetch(visitor, one.base) is Outcome.OK
        visitor.browser.close()
        assert [fetch(visitor, other.base) for _ in range(2)] == [Outcome.OK] * 2 and not spare
    assert [row.size for row in visitor.record.rows] == [5000, 0, 5000, 0, 5000, 1, 70]
    assert [row.flags & FLAG_NEW_CONNECTION for row in visitor.record.rows] == [1] * 6 + [0]


def test_leaving_closes_every_socket():
    """After `close` the server sees the end of each connection."""
    ended = []

    def handle(sock):
        while served.read_head(sock):
            sock.sendall(ok())
        ended.append(1)

    with Served(handle) as served:
        visitors = [Lone() for _ in range(20)]
        for visitor in visitors:
            fetch(visitor, served.base)
            visitor.browser.close()
        assert until(lambda: len(ended) == 20)


def test_ipv6_is_spoken():
    """By literal address, with brackets in the Host header."""
    try:
        served = Served(lambda sock: (served.read_head(sock), sock.sendall(ok())), host="::1")
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with served:
        visitor = Lone()
        assert fetch(visitor, served.base) is Outcome.OK
        assert f"Host: [::1]:{served.port}\r\n".encode() in served.heads[0]


def test_the_second_address_of_a_name_is_tried_when_the_first_refuses():
    """As every client does; it is one request, on record once, with both attempts in its connect time."""
    with answering(ok()) as served:
        visitor = Lone(gate=Gate(), names=Names())
        visitor.client.names._known["two.test", served.port] = (
            float("inf"),
            ((ground.socket.AF_INET6, ("::1", served.port, 0, 0)), (ground.socket.AF_INET, ("127.0.0.1", served.port))),
        )
        assert fetch(visitor, f"http://two.test:{served.port}") is Outcome.OK
        assert visitor.record.balanced and len(visitor.record.rows) == 1


def test_localhost_is_looked_up_once_for_a_crowd(monkeypatch):
    """Fifty visitors, one query; after the lifetime another."""
    asked = []
    real = gevent.get_hub().resolver.getaddrinfo

    def counting(*args):
        asked.append(args[0])
        gevent.sleep(0.02)
        return real(*args)

    monkeypatch.setattr(gevent.get_hub().resolver, "getaddrinfo", counting)
    names = Names(lifetime=0.2)
    with answering(ok()) as served:
        visitors = [Lone(names=names) for _ in range(50)]
        gevent.joinall([gevent.spawn(fetch, visitor, f"http://localhost:{served.port}") for visitor in visitors])
        assert all(visitor.record.outcomes == [Outcome.OK] for visitor in visitors)
        assert asked == ["localhost"]
        gevent.sleep(0.25)
        fetch(visitors[0], f"http://localhost:{served.port}", headers={"Connection": "close"})
        for visitor in visitors:
            visitor.browser.close()
        fetch(visitors[0], f"http://localhost:{served.port}")
        assert asked == ["localhost"] * 2


def test_connections_can_leave_from_several_addresses():
    """Each address of this machine has its own ports: more of them allow more fresh connections."""
    seen = set()

    def handle(sock):
        served.read_head(sock)
        seen.add(sock.getpeername()[0])
        sock.sendall(ok(b"", b"Connection: close"))

    with Served(handle) as served:
        visitor = Lone(sources=["127.0.0.2", "127.0.0.3", "127.0.0.4"])
        for _ in range(6):
            assert fetch(visitor, served.base) is Outcome.OK
    assert seen == {"127.0.0.2", "127.0.0.3", "127.0.0.4"}


class Authority:
    """A certificate authority of our own, and servers with certificates from it."""

    def __init__(self, folder: Path):
        self.ca = trustme.CA()
        self.trusted = folder / "authority.pem"
        self.ca.cert_pem.write_to_path(str(self.trusted))

    def serve(self, *names, answer=None, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # gevent's: a handshake must not block the loop
        self.ca.issue_cert(*names, **options).configure_cert(context)

        def handle(sock):
            while served.read_head(sock):
                sock.sendall(answer or ok(b"secret"))

        served = Served(handle, ssl_context=context)
        return served


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def test_a_good_certificate_is_accepted_and_its_cost_is_told(authority):
    """The handshake has its own time, apart from connect; the second request pays neither."""
    with authority.serve("127.0.0.1") as served:
        visitor = Lone(authorities=authority.trusted)
        assert [fetch(visitor, served.base, read=True) for _ in range(3)] == [Outcome.OK] * 3
        first, second, _ = visitor.record.rows
        assert first.tls > 0 and first.connect > 0 and first.first_byte > first.connect + first.tls
        assert second.tls == second.connect == 0
        assert served.connections == 1 and first.size == 6


def test_a_large_answer_over_tls_arrives_whole(authority):
    """Many records, read and unread."""
    with authority.serve("127.0.0.1", answer=ok(bytes(range(256)) * 8000)) as served:
        visitor = Lone(authorities=authority.trusted)
        assert visitor.call(served.base, read=True).raw == bytes(range(256)) * 8000
        assert fetch(visitor, served.base) is Outcome.OK
        assert visitor.last().size == 256 * 8000


def test_server_names_are_sent_and_checked(authority):
    """SNI: the right name passes, another name of the same server does not."""
    with authority.serve("localhost") as served:
        good, bad = Lone(authorities=authority.trusted), Lone(authorities=authority.trusted)
        assert fetch(good, f"https://localhost:{served.port}") is Outcome.OK
        assert fetch(bad, f"https://127.0.0.1:{served.port}") is Outcome.TLS
        ((_, _, message),) = bad.record.errors
        assert "certificate" in message and "127.0.0.1" not in message


def test_an_unknown_authority_is_refused(authority):
    """Verification is on; nothing turns it off."""
    with authority.serve("127.0.0.1") as served:
        visitor = Lone()
        assert fetch(visitor, served.base) is Outcome.TLS
        assert served.heads == [] and visitor.record.left == 0, "nothing is said to a server that nobody vouches for"


def test_an_expired_certificate_is_refused(authority):
    """With the reason in words."""
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    with authority.serve("127.0.0.1", not_before=past - datetime.timedelta(days=2), not_after=past) as served:
        visitor = Lone(authorities=authority.trusted)
        assert fetch(visitor, served.base) is Outcome.TLS
        ((_, _, message),) = visitor.record.errors
        assert message == "certificate: certificate has expired"


def test_a_plain_server_under_https_is_a_tls_failure():
    """The other side does not speak TLS at all."""
    with raw(lambda sock: sock.sendall(ok())) as served:
        served._handle = lambda sock: (sock.recv(100), sock.sendall(ok()))
        visitor = Lone()
        assert fetch(visitor, served.base.replace("http:", "https:")) is Outcome.TLS


def test_a_server_that_leaves_in_the_handshake_is_a_reset():
    """An overloaded front door: the connection ends before it is secure."""
    with Served(lambda sock: sock.recv(100)) as served:
        visitor = Lone()
        assert fetch(visitor, served.base.replace("http:", "https:")) is Outcome.RESET


def test_a_server_that_is_silent_in_the_handshake_is_a_timeout():
    """The step's timeout covers it."""
    with Served(lambda sock: gevent.sleep(3)) as served:
        visitor = Lone()
        assert fetch(visitor, served.base.replace("http:", "https:"), timeout=0.2) is Outcome.READ_TIMEOUT
        assert visitor.record.left == 0


def test_one_context_serves_everybody(authority):
    """Loading the authorities costs tens of ms: once a worker, not once a visitor."""
    with authority.serve("127.0.0.1") as served:
        visitor = Lone(authorities=authority.trusted)
        fetch(visitor, served.base)
        context = visitor.client.tls
        visitor.browser.close()
        fetch(visitor, served.base)
        assert visitor.client.tls is context


def test_a_body_cut_by_the_end_of_tls_is_a_reset_and_one_without_length_is_whole(authority):
    """Without a length the end of the connection is the end of the body; with one it is too early."""
    cut, whole = HEAD + b"Content-Length: 100\r\n\r\nhalf", HEAD + b"\r\nall"
    for answer, expected in ((cut, Outcome.RESET), (whole, Outcome.OK)):
        with authority.serve("127.0.0.1", answer=answer) as served:
            served._handle = lambda sock, served=served, answer=answer: (served.read_head(sock), sock.sendall(answer))
            visitor = Lone(authorities=authority.trusted)
            assert fetch(visitor, served.base) is expected
